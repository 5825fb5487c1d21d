// Session tokens between src/core and an independent JOSE library, both
// ways: interop.mjs TOKEN_PROGRAM, in a folder it may write to.  Prints TAP.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { deepStrictEqual, strictEqual } from 'node:assert';
import * as jose from 'jose';

const program = process.argv[2];
const now = Math.floor(Date.now() / 1000);
const file = 'keys.json';
const full = {
    sub: 'oVBkZ0aYgDMDIywRdgPW8-joxXc4',
    aud: 'wx0123456789abcdef',
    iat: now,
    exp: now + 7200,
    auth_time: now - 86400,
    unionid: 'o6_bmasdasdsad6_2sgVt7hMZOPfL',
    sk: 'nzoqhc3OnwHzeTxJs+inbQ==',
};

function jwk(kid) {
    return { kty: 'oct', kid, k: randomBytes(32).toString('base64url') };
}

const keys = [jwk('2024-09'), jwk('2024.08_x'), jwk('k'.repeat(64))];

function run(args, input) {
    const child = spawnSync(program, [file, ...args.map(String)],
                            { input, encoding: 'utf8' });
    strictEqual(child.stderr, '');
    strictEqual(child.status, 0);
    return child.stdout;
}

function seal(claims) {
    const { sub, aud, iat, exp, auth_time, unionid, sk } = claims;
    return run(['seal', sub, aud, iat, exp, auth_time]
        .concat(unionid ? [unionid] : [], sk ? [sk] : []));
}

function open(token, time = now) {
    const text = run(['open', time], token);
    return text.startsWith('refused') ? text : JSON.parse(text);
}

async function theirs(claims, key = keys[0], header = {}) {
    return new jose.EncryptJWT(claims)
        .setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM', kid: key.kid,
                              ...header })
        .encrypt(await jose.importJWK(key, 'A256KW'));
}

// what the library's own users would write

async function decrypt(token) {
    return jose.jwtDecrypt(token, async (header) => {
        const key = keys.find((k) => k.kid === header.kid);
        return jose.importJWK(key, 'A256KW');
    }, {
        keyManagementAlgorithms: ['A256KW'],
        contentEncryptionAlgorithms: ['A256GCM'],
        audience: full.aud,
    });
}

const tests = {
    'jose opens ours': async () => {
        const { payload, protectedHeader } = await decrypt(seal(full));
        deepStrictEqual(payload, full);
        strictEqual(JSON.stringify(protectedHeader),
                    '{"alg":"A256KW","enc":"A256GCM","kid":"2024-09"}');
    },

    'jose opens ours without what is optional': async () => {
        const { unionid, sk, ...claims } = full;
        deepStrictEqual((await decrypt(seal(claims))).payload, claims);
    },

    'jose opens ours at every length': async () => {
        for (let n = 1; n <= 128; n++) {
            const claims = { ...full, sub: 'o'.repeat(n) };
            deepStrictEqual((await decrypt(seal(claims))).payload, claims);
        }
    },

    'jose refuses ours when it is altered': async () => {
        const token = seal(full);
        const at = token.length - 10;
        const other = token[at] === 'A' ? 'B' : 'A';
        let refused = false;
        try {
            await decrypt(token.slice(0, at) + other + token.slice(at + 1));
        } catch {
            refused = true;
        }
        strictEqual(refused, true);
    },

    'ours opens those of jose, of every key': async () => {
        for (const key of keys) {
            deepStrictEqual(open(await theirs(full, key)), full);
        }
    },

    'ours opens those of jose at every length': async () => {
        for (let n = 1; n <= 128; n++) {
            const claims = { ...full, sub: 'o'.repeat(n) };
            deepStrictEqual(open(await theirs(claims)), claims);
        }
    },

    'ours takes the claims in any order, and others beside': async () => {
        const { exp, aud, sub, iat } = full;
        const token = await theirs({ exp, x: { sub: 'evil' }, aud,
                                     iss: 'https://example.com/', sub, iat,
                                     nbf: 0, name: '\u5f20\u4e09' });
        deepStrictEqual(open(token), { sub, aud, iat, exp, auth_time: iat });
    },

    'ours refuses those of jose that are over, or not yet': async () => {
        const token = await theirs(full);
        strictEqual(open(token, now + 7200), 'refused: expired');
        strictEqual(open(token, now - 61), 'refused: issued in the future');
    },

    'ours refuses those of a key it does not have': async () => {
        const token = await theirs(full, jwk('other'));
        strictEqual(open(token), 'refused: unknown key');
    },

    'ours refuses another key of a known kid': async () => {
        const token = await theirs(full, jwk(keys[0].kid));
        strictEqual(open(token).startsWith('refused: damaged'), true);
    },

    'ours refuses every other algorithm': async () => {
        for (const header of [{ enc: 'A128GCM' }, { enc: 'A256CBC-HS512' },
                              { typ: 'JWT' }]) {
            const token = await theirs(full, keys[0], header);
            strictEqual(/^refused/.test(open(token)), true);
        }

        const kw = await jose.importJWK(keys[0], 'A256GCMKW');
        const token = await new jose.EncryptJWT(full)
            .setProtectedHeader({ alg: 'A256GCMKW', enc: 'A256GCM',
                                  kid: keys[0].kid })
            .encrypt(kw);
        strictEqual(open(token), 'refused: not a session token');
    },

    'ours refuses a list of audiences and a time that is none': async () => {
        for (const claims of [{ ...full, aud: [full.aud] },
                              { ...full, iat: now + 0.5 },
                              { ...full, exp: 1e300 }]) {
            strictEqual(open(await theirs(claims)),
                        'refused: invalid claims');
        }
    },
};

writeFileSync(file, JSON.stringify({ keys }));

const names = Object.keys(tests);
let number = 0;

console.log(`1..${names.length}`);

for (const name of names) {
    number++;
    try {
        await tests[name]();
        console.log(`ok ${number} - ${name}`);
    } catch (error) {
        console.log(`not ok ${number} - ${name}`);
        console.log(String(error.stack).replace(/^/gm, '# '));
        process.exitCode = 1;
    }
}
