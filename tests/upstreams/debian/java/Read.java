import java.io.IOException;
import java.util.StringJoiner;

import javax.servlet.http.Cookie;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

/** The servlet of all routes: mapped to `/admin/*`, `/users/*` and `/public/*`, it splits what is below. */
public class Read extends HttpServlet {
    @Override
    protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String below = request.getPathInfo();
        String[] segments = below == null ? new String[0] : below.substring(1).split("/", -1);
        if (!request.getServletPath().equals("/users")) {
            answer(request, response, request.getServletPath().substring(1), null);
        } else if (segments.length == 1 && !segments[0].isEmpty()) {
            answer(request, response, "user", segments[0]);
        } else if (segments.length == 2 && segments[1].equals("orders") && !segments[0].isEmpty()) {
            answer(request, response, "orders", segments[0]);
        } else {
            response.sendError(404);
        }
    }

    static void answer(HttpServletRequest request, HttpServletResponse response, String route, String id)
            throws IOException {
        String[] tokens = request.getParameterValues("access_token");
        String session = null;
        for (Cookie cookie : request.getCookies() == null ? new Cookie[0] : request.getCookies()) {
            if (cookie.getName().equals("session") && session == null) {
                session = cookie.getValue();
            }
        }
        String below = request.getPathInfo();
        StringJoiner members = new StringJoiner(", ", "{", "}\n");
        member(members, "route", route);
        member(members, "id", id);
        member(members, "path", request.getServletPath() + (below == null ? "" : below));
        member(members, "prefix", request.getContextPath());
        member(members, "method", request.getMethod());
        member(members, "host", request.getServerName());
        member(members, "subject", request.getHeader("X-Auth-Subject"));
        member(members, "version", request.getHeader("X-Api-Version"));
        member(members, "authorization", request.getHeader("Authorization"));
        member(members, "token", tokens == null ? null : String.join(",", tokens));
        member(members, "session", session);
        response.setContentType("application/json");
        response.setCharacterEncoding("UTF-8");
        response.getWriter().write(members.toString());
    }

    private static void member(StringJoiner members, String name, String value) {
        if (value == null) {
            return;
        }
        StringBuilder quoted = new StringBuilder();
        for (char c : value.toCharArray()) {
            quoted.append(c < ' ' || c > '~' || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : c);
        }
        members.add("\"" + name + "\": \"" + quoted + "\"");
    }
}
