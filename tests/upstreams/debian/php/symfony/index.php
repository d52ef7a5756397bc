<?php
// Symfony's requests and routing, behind a proxy on this machine.
require '/usr/share/php/Symfony/Component/HttpFoundation/autoload.php';
require '/usr/share/php/Symfony/Component/Routing/autoload.php';
require __DIR__ . '/../read.php';

use Symfony\Component\HttpFoundation\JsonResponse;
use Symfony\Component\HttpFoundation\Request;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\Routing\Exception\ExceptionInterface;
use Symfony\Component\Routing\Matcher\UrlMatcher;
use Symfony\Component\Routing\RequestContext;
use Symfony\Component\Routing\Route;
use Symfony\Component\Routing\RouteCollection;

Request::setTrustedProxies(
    ['127.0.0.1', 'REMOTE_ADDR'],
    Request::HEADER_X_FORWARDED_FOR | Request::HEADER_X_FORWARDED_HOST | Request::HEADER_X_FORWARDED_PORT
        | Request::HEADER_X_FORWARDED_PROTO | Request::HEADER_X_FORWARDED_PREFIX
);
Request::enableHttpMethodParameterOverride();

$routes = new RouteCollection();
$methods = ['GET', 'POST', 'DELETE'];
$add = function ($route, $name, $path, $any = []) use ($routes, $methods) {
    $routes->add($name, new Route($path, ['route' => $route], $any, methods: $methods));
};
$add('admin', 'admin', '/admin');
$add('admin', 'admin_below', '/admin/{rest}', ['rest' => '.*']);
$add('orders', 'orders', '/users/{id}/orders');
$add('user', 'user', '/users/{id}');
$add('public', 'public', '/public');
$add('public', 'public_below', '/public/{rest}', ['rest' => '.*']);

$request = Request::createFromGlobals();
try {
    $context = (new RequestContext())->fromRequest($request);
    $found = (new UrlMatcher($routes, $context))->matchRequest($request);
    $response = JsonResponse::fromJsonString(json([
        'route' => $found['route'],
        'id' => $found['id'] ?? null,
        'path' => $request->getPathInfo(),
        'prefix' => $request->getBaseUrl(),
        'method' => $request->getMethod(),
        'host' => $request->getHost(),
        'subject' => $request->headers->get('x-auth-subject'),
        'version' => $request->headers->get('x-api-version'),
        'authorization' => $request->headers->get('authorization'),
        'token' => $request->query->all()['access_token'] ?? null,
        'session' => $request->cookies->all()['session'] ?? null,
    ]));
} catch (ExceptionInterface) {
    $response = new Response('', 404);
} catch (Symfony\Component\HttpFoundation\Exception\RequestExceptionInterface) {
    $response = new Response('', 400);
}
$response->send();
