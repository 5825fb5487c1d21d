const base = 'https://example.com'

function login(then, fail) {
  wx.login({
    success({ code }) {
      wx.request({
        url: base + '/openid', method: 'POST', data: { code },
        success(res) {
          wx.setStorageSync('session', res.data.session || '')
          then()
        },
        fail
      })
    },
    fail
  })
}

function request(options, retry = true) {
  wx.request({
    ...options,
    url: base + options.url,
    header: { ...options.header,
              'X-WX-Session': wx.getStorageSync('session') },
    success(res) {
      const fresh = res.header['X-WX-Session'] ||
                    res.header['x-wx-session']
      if (fresh) wx.setStorageSync('session', fresh)
      if (res.statusCode === 401 && retry)
        login(() => request(options, false), options.fail)
      else if (options.success) options.success(res)
    }
  })
}

Page({
  data: { openid: '', error: '' },

  ask() {
    request({
      url: '/api/whoami',
      success: ({ statusCode, data }) => {
        if (statusCode === 200) this.show(data.openid, '')
        else this.show('', statusCode + ' ' + data.error)
      },
      fail: () => this.show('', 'no answer')
    })
  },

  show(openid, error) {
    this.setData({ openid, error })
  }
})
