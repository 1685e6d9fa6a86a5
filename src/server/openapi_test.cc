#include "server/openapi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "server/api.h"
#include "server/api_statistics.h"
#include "server/metrics.h"

namespace tidewire::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class OpenApi : public ::testing::Test {
 protected:
  Server io;
  ConfigErrors errors;
  Settings settings;
  const Api api{io, settings, {}, errors};
  const Value document = openapi_document(api.endpoints());
};

TEST_F(OpenApi, HasEveryRowOnceWithItsPlacesAndParameters) {
  std::set<std::string> ids;
  for (const ApiEndpoint& endpoint : api.endpoints()) {
    std::string method(endpoint.method);
    for (char& c : method) c = static_cast<char>(c | 0x20);
    const Value operation = document["paths"][endpoint.path][method];
    ASSERT_TRUE(operation.is_object()) << endpoint.path;
    EXPECT_TRUE(ids.insert(std::string(*operation["operationId"].as_string())).second) << endpoint.path;
    std::size_t places = 0;
    for (const Value& parameter : operation["parameters"].items()) places += parameter["in"] == Value("path") ? 1u : 0u;
    EXPECT_EQ(places, static_cast<std::size_t>(std::ranges::count(endpoint.path, '{'))) << endpoint.path;
    EXPECT_GE(operation["responses"].size(), 2u);
    EXPECT_EQ(operation.find("requestBody") != nullptr, !endpoint.body.empty());
    EXPECT_FALSE(endpoint.answers.empty()) << endpoint.path;
  }
  EXPECT_GT(ids.size(), 30u);
}

TEST_F(OpenApi, HasEveryEndpointOfTheMission) {
  for (const std::string_view path : {"/health", "/api/websocket/health", "/api/websocket/stats", "/api/websocket/test-broadcast",
                                      "/api/admin/websocket-analytics", "/api/health/detailed", "/api/v1/websocket/connection-health",
                                      "/healthz", "/readyz", "/metrics", "/api/contracts", "/api/openapi.json", "/api/docs"}) {
    EXPECT_TRUE(document["paths"][path].is_object()) << path;
  }
}

TEST_F(OpenApi, LeavesTheTestBroadcastOutWhereItIsOff) {
  Settings closed;
  closed.api.test_broadcast = false;
  Server other;
  const Api without(other, closed, {}, errors);
  EXPECT_TRUE(openapi_document(without.endpoints())["paths"]["/api/websocket/test-broadcast"].is_null());
}

TEST_F(OpenApi, HasHealthOnlyWhereTheApiIsOff) {
  Settings off;
  off.api.enabled = false;
  Server other;
  const Api health(other, off, {}, errors);
  for (const ApiEndpoint& endpoint : health.endpoints()) EXPECT_EQ(endpoint.tag, "health") << endpoint.path;
  EXPECT_EQ(health.endpoints().size(), 5u);
}

TEST_F(OpenApi, PageShowsEveryRowAndHasNoScript) {
  const std::string page = api_docs_page(api.endpoints());
  for (const ApiEndpoint& endpoint : api.endpoints()) EXPECT_THAT(page, HasSubstr(std::string(endpoint.path)));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("style=\"")));
}

// TIDEWIRE_WRITE_DOCS=1 writes it.
TEST_F(OpenApi, DocsPageSaysWhatTheTableSays) {
  const std::string path = TIDEWIRE_SOURCE_DIR "/docs/http-api.md";
  const std::string wanted = api_markdown(api.endpoints());
  if (std::getenv("TIDEWIRE_WRITE_DOCS") != nullptr) std::ofstream(path) << wanted;
  std::ostringstream found;
  found << std::ifstream(path).rdbuf();
  EXPECT_EQ(found.str(), wanted) << "run this test with TIDEWIRE_WRITE_DOCS=1";
}

TEST_F(OpenApi, ComplainsAboutARateThatIsNone) {
  settings.api.rate = "often";
  Server other;
  const Api bad(other, settings, {}, errors);
  ASSERT_EQ(errors.lines().size(), 1u);
  EXPECT_THAT(errors.lines()[0], HasSubstr("api.rate"));
}

TEST(Metrics, SayEachFigureOnceWithItsType) {
  ServerStatistics now;
  now.connections = 7;
  now.bytes_in = 12'345'678'901;
  const std::string text = metrics_text(now, {.resident_bytes = 1, .open_descriptors = 2, .cpu_seconds = 0.5}, 1'000, 2);
  EXPECT_THAT(text, HasSubstr("# TYPE tidewire_connections gauge\ntidewire_connections 7\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE tidewire_received_bytes_total counter\ntidewire_received_bytes_total 12345678901\n"));
  EXPECT_THAT(text, HasSubstr("tidewire_build_info{version=\""));
  std::set<std::string_view> names;
  for (const Metric& metric : metric_table()) EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
}

TEST(Statistics, HaveTheShapeOfTheMission) {
  ServerStatistics now;
  now.sessions = 5;
  now.handshakes = 25;
  now.plain_peers = 2;
  now.plain_handshakes = 10;
  EXPECT_EQ(connection_statistics({}, now).to_json(),
            R"({"socketIO":{"available":true,"connected":5,"stats":{"connected":5,"total":25}},)"
            R"("webSocket":{"available":true,"connected":2,"stats":{"connected":2,"total":10}}})");
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(1'761'912'000'007), "2025-10-31T12:00:00.007Z");
  const ProcessFigures process = process_figures();
  EXPECT_GT(process.resident_bytes, 0u);
  EXPECT_GT(process.open_descriptors, 0u);
}

}  // namespace
}  // namespace tidewire::server
