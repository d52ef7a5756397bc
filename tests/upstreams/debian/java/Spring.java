import java.io.IOException;
import java.util.EnumSet;

import javax.servlet.DispatcherType;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.FilterHolder;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;
import org.springframework.web.filter.ForwardedHeaderFilter;
import org.springframework.web.filter.HiddenHttpMethodFilter;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerAdapter;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;

/** Spring MVC on an embedded Jetty, with the filters for a proxy and for the method of a form. */
public class Spring {
    @RestController
    public static class Pages {
        @RequestMapping({"/admin", "/admin/**"})
        public void admin(HttpServletRequest request, HttpServletResponse response) throws IOException {
            Read.answer(request, response, "admin", null);
        }

        @RequestMapping("/users/{id}/orders")
        public void orders(HttpServletRequest request, HttpServletResponse response, @PathVariable("id") String id)
                throws IOException {
            Read.answer(request, response, "orders", id);
        }

        @RequestMapping("/users/{id}")
        public void user(HttpServletRequest request, HttpServletResponse response, @PathVariable("id") String id)
                throws IOException {
            Read.answer(request, response, "user", id);
        }

        @RequestMapping({"/public", "/public/**"})
        public void open(HttpServletRequest request, HttpServletResponse response) throws IOException {
            Read.answer(request, response, "public", null);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Server server = new Server(new QueuedThreadPool(12, 4));
        ServerConnector connector = new ServerConnector(server, 1, 1);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(System.getenv("PORT")));
        server.addConnector(connector);

        AnnotationConfigWebApplicationContext application = new AnnotationConfigWebApplicationContext();
        // What `@EnableWebMvc` adds; with Debian's library of bytecode it cannot be used.
        application.register(Pages.class, RequestMappingHandlerMapping.class, RequestMappingHandlerAdapter.class);
        ServletContextHandler context = new ServletContextHandler();
        EnumSet<DispatcherType> requests = EnumSet.of(DispatcherType.REQUEST);
        context.addFilter(new FilterHolder(new ForwardedHeaderFilter()), "/*", requests);
        context.addFilter(new FilterHolder(new HiddenHttpMethodFilter()), "/*", requests);
        context.addServlet(new ServletHolder(new DispatcherServlet(application)), "/");
        server.setHandler(context);
        server.start();
        server.join();
    }
}
