// What the module does, by njs: for speed's comparison only.

import crypto from 'crypto';

const appid = 'APPID';
const secret = 'SECRET';
const key = 'JWT_KEY';

function open(r) {
    const token = r.headersIn['X-WX-Session'] || '';
    const parts = token.split('.');

    if (parts.length !== 3) {
        return '';
    }

    const sign = crypto.createHmac('sha256', key)
                       .update(parts[0] + '.' + parts[1])
                       .digest('base64url');

    if (sign !== parts[2]) {
        return '';
    }

    const claims = JSON.parse(Buffer.from(parts[1], 'base64url'));

    return claims.exp >= Date.now() / 1000 && claims.aud === appid
           ? claims.sub : '';
}

async function exchange(r) {
    const code = r.headersIn['X-WX-Code'];

    if (!code) {
        return r.return(401);
    }

    const res = await r.subrequest('/jscode2session',
        'appid=' + appid + '&secret=' + secret
        + '&js_code=' + encodeURIComponent(code)
        + '&grant_type=authorization_code');

    const reply = res.status === 200 ? JSON.parse(res.responseText) : {};

    if (!reply.openid) {
        return r.return(401);
    }

    r.variables.openid = reply.openid;
    r.internalRedirect('@backend');
}

export default { open, exchange };
