<?php

// Who am I, in PHP.  nginx has checked the user: this only reads a header.
// It is called by fastcgi_pass, so that php-fpm itself is not reachable.

$openid = $_SERVER['HTTP_X_WX_OPENID'] ?? '';

header('Content-Type: application/json');
echo json_encode(['openid' => $openid]);
