<?php
// The path as FastRoute's documentation finds it.
require __DIR__ . '/../route.php';
$uri = $_SERVER['REQUEST_URI'];
if (false !== $pos = strpos($uri, '?')) {
    $uri = substr($uri, 0, $pos);
}
serve(rawurldecode($uri));
