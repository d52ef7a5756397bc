"""Django, for gunicorn (`wsgi`) and for daphne (`asgi`)."""

import django
from django.conf import settings
from django.http import JsonResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from echo import report

settings.configure(
    SECRET_KEY="the fleet signs nothing",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["localhost", "127.0.0.1", ".example.com"],
    # Settings, `USE_X_FORWARDED_HOST`: for use behind a proxy.
    USE_X_FORWARDED_HOST=True,
    # The defaults of `startproject` that need no database.
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)
django.setup()


def serve(route):
    @csrf_exempt
    def view(request, id=None, **rest):
        return JsonResponse(
            report(
                route=route,
                id=id,
                path=request.path_info,
                prefix=request.META.get("SCRIPT_NAME"),
                method=request.method,
                host=request.get_host(),
                subject=request.headers.get("x-auth-subject"),
                version=request.headers.get("x-api-version"),
                authorization=request.headers.get("authorization"),
                token=request.GET.get("access_token"),
                session=request.COOKIES.get("session"),
            )
        )

    return view


urlpatterns = [
    # URL dispatcher, "Using regular expressions".
    re_path(r"^admin(?:/|$)", serve("admin")),
    path("users/<str:id>/orders", serve("orders")),
    path("users/<str:id>", serve("user")),
    # URL dispatcher, "Path converters".
    path("public", serve("public")),
    path("public/", serve("public")),
    path("public/<path:rest>", serve("public")),
]


def __getattr__(name):
    if name == "wsgi":
        from django.core.wsgi import get_wsgi_application

        return get_wsgi_application()
    if name == "asgi":
        from django.core.asgi import get_asgi_application

        return get_asgi_application()
    raise AttributeError(name)
