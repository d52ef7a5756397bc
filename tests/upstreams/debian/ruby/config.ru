# Rack without a framework: `map` routes, and PATH_INFO is what is below it. A POST may name another method.
require "rack/method_override"
require_relative "read"

SERVE = lambda do |env, route, id = nil|
  [200, { "content-type" => "application/json" }, [Read.answer(Rack::Request.new(env), route, id)]]
end
NOT_FOUND = [404, { "content-type" => "text/plain" }, ["no such page\n"]].freeze

use Rack::MethodOverride

map("/admin") { run ->(env) { SERVE.call(env, "admin") } }
map("/public") { run ->(env) { SERVE.call(env, "public") } }
map "/users" do
  run(lambda do |env|
    _, id, *below = env["PATH_INFO"].split("/", -1)
    next NOT_FOUND if id.nil? || id.empty?
    next SERVE.call(env, "user", id) if below.empty?
    next SERVE.call(env, "orders", id) if below == ["orders"]
    NOT_FOUND
  end)
end
