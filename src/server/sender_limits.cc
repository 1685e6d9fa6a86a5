#include "server/sender_limits.h"

namespace tidewire::server {

SenderRates SenderRates::read(const Settings::Rates& settings, ConfigErrors& errors) {
  SenderRates rates;
  const auto parse = [&errors](std::string_view key, const std::string& text, std::optional<policy::Rate>& rate) {
    if (text.empty()) return;
    const auto said = policy::Rate::parse(text);
    if (said.ok()) {
      rate = *said;
    } else {
      errors.add({.origin = "rates." + std::string(key)}, said.status().message());
    }
  };
  parse("connection", settings.connection, rates.connection);
  parse("user", settings.user, rates.user);
  parse("address", settings.address, rates.address);
  return rates;
}

SenderLimits::SenderLimits(const SenderRates& rates) : rates_(rates) {
  if (rates.connection) connection_.emplace(*rates.connection);
  if (rates.user) user_.emplace(*rates.user);
  if (rates.address) address_.emplace(*rates.address);
}

void SenderLimits::user_key(const Identity& identity, std::string& key) {
  key.assign(identity.tenant).append(1, '\n').append(identity.user_id);
}

std::optional<SenderLimits::Over> SenderLimits::take(std::optional<policy::RateTable>& table, std::string_view of, std::string_view key,
                                                     std::int64_t now_ms) {
  if (table->take(key, now_ms)) return std::nullopt;
  return Over{of, table->wait_ms(key, now_ms)};
}

std::optional<SenderLimits::Over> SenderLimits::take(const Socket& socket, const Identity& identity, std::int64_t now_ms) {
  if (connection_) {
    if (const auto over = take(connection_, "connection", socket.id(), now_ms)) return over;
  }
  if (user_ && !identity.anonymous()) {
    user_key(identity, key_);
    if (const auto over = take(user_, "user", key_, now_ms)) return over;
  }
  if (address_) {
    if (const auto over = take(address_, "address", policy::address_key(socket.address()), now_ms)) return over;
  }
  return std::nullopt;
}

}  // namespace tidewire::server
