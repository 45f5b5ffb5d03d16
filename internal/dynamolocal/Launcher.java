import java.io.IOException;
import java.lang.reflect.Field;
import java.util.Arrays;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * Starts DynamoDB Local on chosen addresses only.
 *
 * <p>ServerRunner has no option for an address and listens on every interface, which would open a
 * database without any access control to the whole network. This asks ServerRunner for the server,
 * gives its Jetty connectors for the chosen addresses instead, and only then starts it. Nothing of
 * DynamoDB Local is needed to compile this file: it is called by name, as its licence wants it left
 * as it is.
 *
 * <p>Usage: {@code Launcher PORT HOST [HOST...] -- SERVER_RUNNER_OPTION...}; port 0 takes a free
 * one, the same for every host.
 *
 * <p>One line on standard output begins with "marquee:". It is {@code marquee: port N} once every
 * address accepts connections, or {@code marquee: cannot bind HOST: REASON}.
 *
 * <p>The process ends when its standard input does: it cannot outlive the program that holds the
 * other end of the pipe, however that program ends.
 */
public final class Launcher {
  private static final String RUNNER = "software.amazon.dynamodb.services.local.main.ServerRunner";

  private Launcher() {}

  public static void main(String[] args) throws Exception {
    endWithStandardInput();
    int dashes = Arrays.asList(args).indexOf("--");
    int port = Integer.parseInt(args[0]);
    String[] hosts = Arrays.copyOfRange(args, 1, dashes);
    String[] options = Arrays.copyOfRange(args, dashes + 1, args.length);

    Object proxy =
        Class.forName(RUNNER)
            .getMethod("createServerFromCommandLineArgs", String[].class)
            .invoke(null, (Object) options);
    Server server = jettyOf(proxy);
    for (Connector connector : server.getConnectors()) {
      server.removeConnector(connector);
    }
    for (String host : hosts) {
      port = listen(server, host, port);
    }
    server.start();
    say("port " + port);
    server.join();
  }

  private static Server jettyOf(Object proxy) throws ReflectiveOperationException {
    Field field = proxy.getClass().getDeclaredField("server");
    field.setAccessible(true);
    return (Server) field.get(proxy);
  }

  private static int listen(Server server, String host, int port) {
    ServerConnector connector = new ServerConnector(server, 1, 1);
    connector.setHost(host);
    connector.setPort(port);
    try {
      connector.open();
    } catch (IOException e) {
      say("cannot bind " + host + ": " + e.getMessage());
      Runtime.getRuntime().halt(3);
    }
    server.addConnector(connector);
    return connector.getLocalPort();
  }

  private static void say(String text) {
    System.out.println("marquee: " + text);
    System.out.flush();
  }

  private static void endWithStandardInput() {
    Runnable watch =
        () -> {
          try {
            while (System.in.read() >= 0) {
              // Nothing is ever sent; only the end counts.
            }
          } catch (IOException e) {
            // A broken pipe is an end, too.
          }
          // The database is in memory: there is nothing that an orderly shutdown would save.
          Runtime.getRuntime().halt(0);
        };
    Thread thread = new Thread(watch, "standard-input");
    thread.setDaemon(true);
    thread.start();
  }
}
