// A phone, as far as a mini program can tell: its pages are rendered by
// miniprogram-simulate in jsdom, its storage is a Map, wx.login gives codes
// that the stand-in for WeChat knows, and wx.request is real HTTP to nginx,
// whose addresses are in NGINX_HTTP1 and NGINX_HTTP2.

const { JSDOM } = require('jsdom')
const http = require('http')
const http2 = require('http2')

const { window } = new JSDOM('<!DOCTYPE html><body></body>')

for (const name of ['window', 'document', 'Event', 'CustomEvent']) {
  global[name] = window[name]
}

const simulate = require('miniprogram-simulate')

// miniprogram-simulate knows components alone; a page is one whose methods
// stand beside its data

global.Page = ({ data, ...methods }) => Component({ data, methods })


// Each resolves to { statusCode, header, body }; the names of headers are as
// they came.

function viaHttp1({ path, method, header, body }) {
  return new Promise((resolve, reject) => {
    const req = http.request(process.env.NGINX_HTTP1 + path,
                             { method, headers: header, agent: false })

    req.on('error', reject)
    req.on('response', async res => resolve({
      statusCode: res.statusCode,
      header: pairs(res.rawHeaders),
      body: await text(res)
    }))
    req.end(body)
  })
}

function viaHttp2({ path, method, header, body }) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(process.env.NGINX_HTTP2)
    const req = session.request({ ...header, ':path': path,
                                  ':method': method })

    session.on('error', reject)
    req.on('error', reject)
    req.on('response', async res => {
      const body = await text(req)

      session.close()
      resolve({ statusCode: res[':status'], header: { ...res }, body })
    })
    req.end(body)
  })
}

function pairs(list) {
  const header = {}

  for (let i = 0; i < list.length; i += 2) header[list[i]] = list[i + 1]
  return header
}

async function text(stream) {
  let all = ''

  for await (const part of stream.setEncoding('utf8')) all += part
  return all
}

// as wx.request does by default
function parsed(body) {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}


class Phone {
  storage = new Map()
  logins = []                                   // codes that wx.login gave
  requests = []                                 // "GET /path", as sent
  newCode = () => `good-${process.pid}-${++Phone.codes}`
  connection = viaHttp1
  offline = false

  static codes = 0

  #busy = 0
  #idle = []

  wx = {
    login: options => this.#run(options, async () => {
      const code = this.newCode()

      this.logins.push(code)
      return { code }
    }),
    request: options => this.#run(options, () => this.#request(options)),
    getStorageSync: key => this.storage.get(key) ?? '',
    setStorageSync: (key, value) => {
      // what else a phone makes of other values differs
      if (typeof value !== 'string') throw TypeError(`stored ${value}`)
      this.storage.set(key, value)
    }
  }

  // calls back as wx does, and knows when nothing is under way any more

  async #run({ success, fail }, work) {
    let answer, error

    this.#busy++

    try {
      answer = await work()
    } catch (e) {
      error = e
    }

    if (error) fail?.({ errMsg: error.message })
    else success?.(answer)

    if (--this.#busy === 0) this.#idle.splice(0).forEach(done => done())
  }

  async #request({ url, method = 'GET', header, data }) {
    const { origin, pathname, search } = new URL(url)
    const path = pathname + search

    if (origin !== 'https://example.com') throw Error(`no host ${origin}`)
    this.requests.push(`${method} ${path}`)
    if (this.offline) throw Error('request:fail')

    const { body, ...answer } = await this.connection({
      path,
      method,
      header: { 'content-type': 'application/json', ...header },
      body: data && JSON.stringify(data)
    })

    return { ...answer, data: parsed(body) }
  }

  async idle() {
    if (this.#busy > 0) await new Promise(done => this.#idle.push(done))
  }

  open(folder, path) {
    global.wx = this.wx
    this.page = simulate.render(simulate.load(`${folder}/${path}`, {
      compiler: 'simulate',
      rootPath: folder
    }))
    this.page.attach(document.body)
  }

  async press(selector) {
    this.page.querySelector(selector).dispatchEvent('tap')
    await new Promise(setImmediate)
    await this.idle()
  }

  text(selector) {
    return this.page.querySelector(selector)?.dom.textContent
  }
}

module.exports = { Phone, viaHttp2 }
