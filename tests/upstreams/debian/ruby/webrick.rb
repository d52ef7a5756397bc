require "socket"
require "webrick"
require_relative "read"

server = WEBrick::HTTPServer.new(
  BindAddress: "127.0.0.1", Port: ENV.fetch("PORT").to_i, AccessLog: [], Logger: WEBrick::Log.new(File::NULL),
  # The fields and the body are written one after the other: each answer would wait for an acknowledgement.
  AcceptCallback: ->(socket) { socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1) }
)
answer = lambda do |request, response, route, id = nil|
  session = request.cookies.find { |cookie| cookie.name == "session" }
  response["content-type"] = "application/json"
  response.body = Read.json(
    route: route, id: id, path: request.path, prefix: request.script_name, method: request.request_method,
    host: request.host, subject: request["x-auth-subject"], version: request["x-api-version"],
    authorization: request["authorization"], token: request.query["access_token"]&.list, session: session&.value
  )
end
server.mount_proc("/admin") { |request, response| answer.call(request, response, "admin") }
server.mount_proc("/public") { |request, response| answer.call(request, response, "public") }
server.mount_proc("/users") do |request, response|
  _, id, *below = request.path_info.split("/", -1)
  route = { [] => "user", ["orders"] => "orders" }[below]
  raise WEBrick::HTTPStatus::NotFound if route.nil? || id.nil? || id.empty?
  answer.call(request, response, route, id)
end
trap("TERM") { server.shutdown }
server.start
