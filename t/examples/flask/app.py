"""Who am I, in Flask.  nginx has checked the user: this only reads a header.

    python3 app.py          PORT (8080) on loopback, for nginx alone
"""

import os

from flask import Flask, jsonify, request

app = Flask(__name__)


@app.get('/whoami')
def whoami():
    openid = request.headers.get('X-WX-OPENID', '')
    return jsonify(openid=openid)


if __name__ == '__main__':
    app.run(host='127.0.0.1', port=int(os.environ.get('PORT', 8080)))
