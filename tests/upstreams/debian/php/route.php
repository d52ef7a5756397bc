<?php
// The routes, for a front controller that has found the path itself.
require __DIR__ . '/read.php';

function route(array $segments): ?array
{
    return match (true) {
        $segments[0] === 'admin' => ['admin', null],
        $segments[0] === 'public' => ['public', null],
        $segments[0] !== 'users' || ($segments[1] ?? '') === '' => null,
        count($segments) === 2 => ['user', $segments[1]],
        count($segments) === 3 && $segments[2] === 'orders' => ['orders', $segments[1]],
        default => null,
    };
}

/** The method as frameworks find it: only a POST can name another one. */
function method(): string
{
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        return $_SERVER['REQUEST_METHOD'];
    }
    $named = $_SERVER['HTTP_X_HTTP_METHOD_OVERRIDE'] ?? $_REQUEST['_method'] ?? 'POST';
    return is_string($named) ? strtoupper($named) : 'POST';
}

function serve(?string $path): void
{
    $served = str_starts_with($path ?? '', '/') ? route(explode('/', substr($path, 1))) : null;
    if ($served === null) {
        http_response_code(404);
        return;
    }
    header('content-type: application/json');
    echo json([
        'route' => $served[0],
        'id' => $served[1],
        'path' => $path,
        'prefix' => $_SERVER['SCRIPT_NAME'] ?? null,
        'method' => method(),
        'host' => $_SERVER['HTTP_HOST'] ?? null,
        'subject' => $_SERVER['HTTP_X_AUTH_SUBJECT'] ?? null,
        'version' => $_SERVER['HTTP_X_API_VERSION'] ?? null,
        'authorization' => $_SERVER['HTTP_AUTHORIZATION'] ?? null,
        'token' => $_GET['access_token'] ?? null,
        'session' => $_COOKIE['session'] ?? null,
    ]);
}
