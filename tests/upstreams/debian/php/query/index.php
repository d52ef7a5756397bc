<?php
// The path comes in the query, from a rewritten address.
require __DIR__ . '/../route.php';
serve('/' . ($_GET['q'] ?? ''));
