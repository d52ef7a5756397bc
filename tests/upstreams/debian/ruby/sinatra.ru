require "sinatra/base"
require_relative "read"

class App < Sinatra::Base
  enable :method_override
  set :show_exceptions, false

  before { content_type :json }

  %i[get post delete].each do |verb|
    send(verb, "/admin") { Read.answer(request, "admin") }
    send(verb, "/admin/*") { Read.answer(request, "admin") }
    send(verb, "/users/:id/orders") { Read.answer(request, "orders", params["id"]) }
    send(verb, "/users/:id") { Read.answer(request, "user", params["id"]) }
    send(verb, "/public") { Read.answer(request, "public") }
    send(verb, "/public/*") { Read.answer(request, "public") }
  end
end

run App
