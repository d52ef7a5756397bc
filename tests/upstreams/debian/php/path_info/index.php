<?php
require __DIR__ . '/../route.php';
serve($_SERVER['PATH_INFO'] ?? null);
