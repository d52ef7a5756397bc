require "json"

# The answer of a served route. `request` is a Rack::Request.
module Read
  module_function

  def answer(request, route, id = nil)
    read = {
      route: route, id: id, path: request.path, prefix: request.script_name, method: request.request_method,
      host: request.host, token: request.params["access_token"], session: request.cookies["session"]
    }
    { subject: "X_AUTH_SUBJECT", version: "X_API_VERSION", authorization: "AUTHORIZATION" }.each do |key, name|
      read[key] = request.get_header("HTTP_#{name}")
    end
    json(read)
  end

  def json(read)
    JSON.generate(read.transform_values { |value| text(value) })
  end

  # JSON has no place for bytes that are not UTF-8.
  def text(value)
    case value
    when nil then nil
    when Array then value.map { |each| text(each) }.join(",")
    else value.to_s.dup.force_encoding(Encoding::UTF_8).scrub
    end
  end
end
