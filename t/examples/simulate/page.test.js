// The mini program's page, and the client code of README, against nginx:
//
//   NGINX_HTTP1, NGINX_HTTP2   where it is
//   WECHAT_CTL                 the control port of the stand-in for WeChat
//   APPID, KEYS                the app, and the file of its session keys
//   ROOT                       the project's folder

const assert = require('assert/strict')
const { execFileSync } = require('child_process')
const { existsSync, readFileSync } = require('fs')
const { test } = require('node:test')
const { Phone, viaHttp2 } = require('./phone')

const { APPID, KEYS, ROOT, WECHAT_CTL } = process.env
const program = `${ROOT}/t/examples/miniprogram`


const ask = async what =>
  (await (await fetch(`${WECHAT_CTL}/_ctl/${what}`)).text()).trim()

const asked = async () => Number(await ask('total'))

const openidOf = code => ask(`openid?appid=${APPID}&code=${code}`)

// The first indented block of a document that has this text, without its
// indent.

function block(file, text) {
  const blocks = readFileSync(`${ROOT}/${file}`, 'utf8')
    .split(/\n(?=\S)/)
    .flatMap(part => part.match(/(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+/g) ?? [])
  const found = blocks.find(block => block.includes(text))

  assert(found, `${file} has no block with ${text}`)
  return found.replace(/^ {4}/gm, '').trim()
}

// what a token says is chosen by its age, in seconds

function token(openid, age) {
  const made = Math.floor(Date.now() / 1000) - age
  const seal = { sub: openid, aud: APPID, iat: made, exp: made + 7200,
                 auth_time: made }
  const answer = execFileSync(`${ROOT}/t/tools/token`, {
    input: JSON.stringify({ keys: KEYS, seal }) + '\n'
  })

  return JSON.parse(answer).token
}

function opened(session) {
  const phone = new Phone()

  if (session !== undefined) phone.storage.set('session', session)
  phone.open(program, 'pages/index/index')
  return phone
}

// a press that logs in: of three requests the last one has an identity

async function pressAndLogIn(phone) {
  const before = await asked()

  await phone.press('.ask')

  assert.deepEqual(phone.requests.slice(-3),
                   ['GET /api/whoami', 'POST /openid', 'GET /api/whoami'])
  assert.equal(phone.text('.openid'), await openidOf(phone.logins.at(-1)))
  assert.equal(phone.text('.error'), undefined)
  assert.equal(await asked(), before + 1)
}

// a press that needs no login

async function pressWithToken(phone, openid) {
  const before = await asked()
  const { logins, requests } = phone
  const sent = requests.length, loggedIn = logins.length

  await phone.press('.ask')

  assert.deepEqual(requests.slice(sent), ['GET /api/whoami'])
  assert.equal(logins.length, loggedIn)
  assert.equal(phone.text('.openid'), openid)
  assert.equal(await asked(), before)
}


test('the code of the page is the code of README', () => {
  const page = readFileSync(`${program}/pages/index/index.js`, 'utf8')
  const client = page.slice(0, page.indexOf('\nPage(')).trim()

  for (const file of ['README.md', 'README.zh-CN.md']) {
    if (file === 'README.md' || existsSync(`${ROOT}/${file}`)) {
      assert.equal(client, block(file, 'const base ='), file)
    }
  }
})

test('the app names the page, and the page has all its files', () => {
  const { pages } = JSON.parse(readFileSync(`${program}/app.json`))

  global.App = () => {}
  require(`${program}/app.js`)

  assert.deepEqual(pages, ['pages/index/index'])

  for (const end of ['js', 'json', 'wxml', 'wxss']) {
    assert(existsSync(`${program}/${pages[0]}.${end}`), end)
  }
})

test('a press of the button logs in and shows the openid', async () => {
  const phone = opened()

  assert.equal(phone.text('.openid'), undefined)
  await pressAndLogIn(phone)
})

test('a second press uses the token, WeChat is not asked', async () => {
  const phone = opened()

  await pressAndLogIn(phone)
  await pressWithToken(phone, phone.text('.openid'))
})

test('a page opened later has the token still', async () => {
  const phone = opened()

  await pressAndLogIn(phone)
  const openid = phone.text('.openid')

  phone.open(program, 'pages/index/index')
  await pressWithToken(phone, openid)
})

test('after 401 for a token that is over it logs in anew', async () => {
  await pressAndLogIn(opened(token('o-over', 7300)))
})

test('after 401 for a damaged token it logs in anew', async () => {
  await pressAndLogIn(opened(token('o-damaged', 0).slice(0, -4) + 'AAAA'))
})

for (const [name, connection] of [['HTTP/1.1'], ['HTTP/2', viaHttp2]]) {
  test(`a token of half its life is replaced over ${name}`, async () => {
    const old = token('o-renewed', 3700)
    const phone = opened(old)

    if (connection) phone.connection = connection

    await pressWithToken(phone, 'o-renewed')

    const fresh = phone.storage.get('session')

    assert.notEqual(fresh, old)
    await pressWithToken(phone, 'o-renewed')
    assert.equal(phone.storage.get('session'), fresh)
  })
}

test('a login that is refused is tried once, and shown', async () => {
  const phone = opened()

  phone.newCode = () => `err-40029-${process.pid}`
  await phone.press('.ask')

  assert.equal(phone.logins.length, 1)
  assert.equal(phone.requests.length, 3)
  assert.equal(phone.text('.openid'), undefined)
  assert.equal(phone.text('.error'), '401 login_required')
})

test('without a network the page says so, and works later', async () => {
  const phone = opened()

  phone.offline = true
  await phone.press('.ask')
  assert.equal(phone.text('.error'), 'no answer')

  phone.offline = false
  await pressAndLogIn(phone)
})

test('without a login the page says so', async () => {
  const phone = opened()

  phone.newCode = () => { throw Error('login:fail') }
  await phone.press('.ask')
  assert.equal(phone.text('.error'), 'no answer')
})


// README's code for mini programs that keep no token

async function run(code) {
  const phone = new Phone()
  const shown = []

  new Function('wx', 'console', code)(phone.wx,
                                      { log: data => shown.push(data) })
  await phone.idle()
  return { phone, shown }
}

test('README: a request with a code of its own', async () => {
  const before = await asked()
  const { phone, shown } = await run(block('README.md', 'X-WX-Code\': code'))

  assert.deepEqual(phone.requests, ['GET /api/orders'])
  assert.deepEqual(shown, [{ openid: await openidOf(phone.logins[0]) }])
  assert.equal(await asked(), before + 1)
})

test('README: a code in the body', async () => {
  const before = await asked()
  const { phone } = await run(block('README.md', 'POST\', data: { code } })'))

  assert.deepEqual(phone.requests, ['POST /openid'])
  assert.equal(await asked(), before + 1)
})
