<?php

// Shows the headers and the body that PHP got.

header('Content-Type: text/plain');
ksort($_SERVER);

foreach ($_SERVER as $name => $value) {
    if (strncmp($name, 'HTTP_', 5) == 0) {
        echo "$name: $value\n";
    }
}

echo "\n", file_get_contents('php://input');
