// Who am I, in Express.  nginx has checked the user: this only reads a header.
//
//     npm ci && node app.js      PORT (8080) on loopback, for nginx alone

const express = require('express')

const app = express()

app.get('/whoami', (req, res) => {
  const openid = req.get('X-WX-OPENID') ?? ''
  res.json({ openid })
})

app.listen(process.env.PORT ?? 8080, '127.0.0.1')
