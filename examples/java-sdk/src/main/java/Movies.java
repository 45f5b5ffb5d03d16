import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;

/** The movie list through the AWS SDK's signer and java.net.http: list, read, write, delete. README.md says how to run it. */
public final class Movies {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final AwsV4HttpSigner signer = AwsV4HttpSigner.create();
    private final AwsCredentialsProvider credentials = DefaultCredentialsProvider.builder().build();
    private final String region = DefaultAwsRegionProviderChain.builder().build().getRegion().id();
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build(); // follows no redirects
    private final URI api;
    private final String base;

    /**
     * @param vpce the VPC endpoint's own name where private DNS is off: connections go there, Host and signature keep the API's
     */
    private Movies(String url, Optional<String> vpce) {
        api = URI.create(url);
        base = vpce.map(name -> (name.contains("://") ? name : "https://" + name) + api.getPath()).orElse(url);
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("jdk.httpclient.allowRestrictedHeaders", "host"); // before the first HttpClient, for the VPC endpoint
        Optional<String> vpce = Optional.ofNullable(System.getenv("MARQUEE_VPCE")).filter(name -> !name.isEmpty());
        String url = Optional.ofNullable(System.getenv("MARQUEE_URL"))
            .orElseThrow(() -> new IllegalStateException("set MARQUEE_URL to the API's invoke URL"));
        try {
            new Movies(url, vpce).show(new PrintStream(System.out, true, UTF_8));
        } catch (Refused refused) {
            System.err.println(refused.getMessage());
            System.exit(4);
        }
    }

    private void show(PrintStream out) throws IOException, InterruptedException {
        String query = "sort=year&limit=10&director=" + encode("Alfonso Cuarón");
        for (JsonNode movie : JSON.readTree(call("GET", "/movie_list?" + query, "").body()).get("Items")) {
            out.println(movie.get("year").asInt() + " " + movie.get("title").asText());
        }

        JsonNode movie = JSON.readTree(call("GET", path(1997, "Face/Off"), "").body());
        out.printf("%s (%d) was directed by %s%n", movie.get("title").asText(), movie.get("year").asInt(),
            movie.at("/info/directors/0").asText());

        String mine = path(2026, "Café / Bar, take " + ProcessHandle.current().pid());
        HttpResponse<String> written = call("PUT", mine, "{\"info\": {\"genres\": [\"Comedy\"]}}", "Content-Type", "application/json");
        out.println("wrote " + JSON.readTree(written.body()).get("title").asText());
        call("DELETE", mine, "", "If-Match", written.headers().firstValue("ETag").orElseThrow());
        out.println("deleted it");
    }

    private static String path(int year, String title) {
        return "/movie_list/" + year + "/" + encode(title);
    }

    /** Percent-encodes: a slash becomes %2F, and a space %20, where URLEncoder alone makes forms of HTML. */
    private static String encode(String value) {
        return URLEncoder.encode(value, UTF_8).replace("+", "%20");
    }

    /** Signs and sends a request. Headers are names and values in turn. */
    private HttpResponse<String> call(String method, String path, String body, String... headers)
        throws IOException, InterruptedException {
        URI uri = URI.create(base + path);
        SdkHttpRequest.Builder unsigned = SdkHttpRequest.builder().method(SdkHttpMethod.fromValue(method)).uri(uri);
        unsigned.putHeader("Host", api.getAuthority());
        for (int i = 0; i < headers.length; i += 2) {
            unsigned.putHeader(headers[i], headers[i + 1]);
        }
        SdkHttpRequest signed = signer.sign(s -> s
            .identity(credentials.resolveCredentials()) // cached, and renewed before they end
            .request(unsigned.build())
            .payload(ContentStreamProvider.fromUtf8String(body))
            .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "execute-api")
            .putProperty(AwsV4HttpSigner.REGION_NAME, region)).request();

        HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10))
            .method(method, body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        signed.forEachHeader((name, values) -> values.forEach(value -> request.header(name, value)));
        HttpResponse<String> response = http.send(request.build(), BodyHandlers.ofString());
        if (response.statusCode() >= 300) {
            throw new Refused(response);
        }
        return response;
    }

    /** An answer other than 2xx. */
    private static final class Refused extends RuntimeException {
        Refused(HttpResponse<String> response) {
            super(explain(response));
        }

        /**
         * API Gateway's own refusals have a type and a message; a denial by policy spells it with a capital. The service's
         * errors are {"error": {"code", "message"}}.
         */
        private static String explain(HttpResponse<String> response) {
            JsonNode answer;
            try {
                answer = JSON.readTree(response.body());
            } catch (IOException plainText) { // API Gateway's 413
                answer = JSON.valueToTree(Map.of("message", response.body()));
            }
            JsonNode error = answer.path("error");
            String type = response.headers().firstValue("x-amzn-ErrorType").orElse(error.path("code").asText());
            String message = answer.path("message").asText(answer.path("Message").asText(error.path("message").asText()));
            return response.statusCode() + " " + type + ": " + message.lines().findFirst().orElse(""); // later lines hold the token
        }
    }
}
