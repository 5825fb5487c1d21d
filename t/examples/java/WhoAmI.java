// Who am I, in Java.  nginx has checked the user: this only reads a header.
//
//     java WhoAmI.java        PORT (8080) on loopback, for nginx alone

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;

public class WhoAmI {
    static void whoami(HttpExchange exchange) throws IOException {
        String openid = exchange.getRequestHeaders().getFirst("X-WX-OPENID");

        if (openid == null) {
            openid = "";
        }

        // an openid has letters, digits, "-", "_" and "." only
        String json = "{\"openid\":\"" + openid + "\"}";

        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, json.length());
        exchange.getResponseBody().write(json.getBytes());
        exchange.close();
    }

    public static void main(String[] args) throws IOException {
        int port = Integer.parseInt(
            System.getenv().getOrDefault("PORT", "8080"));
        HttpServer server = HttpServer.create(
            new InetSocketAddress("127.0.0.1", port), 0);

        server.createContext("/whoami", WhoAmI::whoami);
        server.start();
    }
}
