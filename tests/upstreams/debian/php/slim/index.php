<?php
require '/usr/share/php/Slim/autoload.php';
require __DIR__ . '/../read.php';

$serve = fn (string $route) => fn ($request, $response, $arguments) => $response
    ->withHeader('content-type', 'application/json')
    ->write(json([
        'route' => $route,
        'id' => $arguments['id'] ?? null,
        'path' => $request->getUri()->getPath(),
        'prefix' => $request->getUri()->getBasePath(),
        'method' => $request->getMethod(),
        'host' => $request->getUri()->getHost(),
        'subject' => $request->getHeaderLine('x-auth-subject') ?: null,
        'version' => $request->getHeaderLine('x-api-version') ?: null,
        'authorization' => $request->getHeaderLine('authorization') ?: null,
        'token' => $request->getQueryParam('access_token'),
        'session' => $request->getCookieParam('session'),
    ]));

$app = new Slim\App();
$app->any('/admin[/{rest:.*}]', $serve('admin'));
$app->any('/users/{id}/orders', $serve('orders'));
$app->any('/users/{id}', $serve('user'));
$app->any('/public[/{rest:.*}]', $serve('public'));
$app->run();
