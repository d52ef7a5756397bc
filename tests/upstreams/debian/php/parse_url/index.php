<?php
require __DIR__ . '/../route.php';
serve(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: null);
