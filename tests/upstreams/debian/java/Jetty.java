import org.eclipse.jetty.server.ForwardedRequestCustomizer;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/** An embedded Jetty behind a proxy. */
public class Jetty {
    public static void main(String[] arguments) throws Exception {
        HttpConfiguration configuration = new HttpConfiguration();
        configuration.addCustomizer(new ForwardedRequestCustomizer());

        Server server = new Server(new QueuedThreadPool(12, 4));
        ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(configuration));
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(System.getenv("PORT")));
        server.addConnector(connector);

        ServletContextHandler context = new ServletContextHandler();
        context.addServlet(Read.class, "/admin/*");
        context.addServlet(Read.class, "/users/*");
        context.addServlet(Read.class, "/public/*");
        server.setHandler(context);
        server.start();
        server.join();
    }
}
