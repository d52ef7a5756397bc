# The routes and controllers of Rails, without the rest of it.
require "action_controller"
require "rack/method_override"
require_relative "read"

class PagesController < ActionController::API
  %i[admin orders user public].each do |route|
    define_method(route) do
      render json: Read.answer(request, route, params[:id])
    end
  end
end

ROUTES = ActionDispatch::Routing::RouteSet.new
ROUTES.draw do
  match "/admin(/*rest)", to: "pages#admin", via: %i[get post delete], format: false
  match "/users/:id/orders", to: "pages#orders", via: %i[get post delete]
  match "/users/:id", to: "pages#user", via: %i[get post delete]
  match "/public(/*rest)", to: "pages#public", via: %i[get post delete], format: false
end

use Rack::MethodOverride
use ActionDispatch::ShowExceptions, ActionDispatch::PublicExceptions.new(__dir__)
run ROUTES
