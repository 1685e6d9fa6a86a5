// policy/json_schema.h - the contract of an event: a JSON Schema, compiled once at start, asked for every message.
//
//   schema (Value) --compile--> JsonSchema: a flat list of nodes, immutable, shared by all shards
//   instance (Value) --validate--> nothing, or the first Violation: where, which keyword, what a person should read
//
// Understood, as draft 2020-12 has it: $ref inside the document, type, enum, const, required, properties, additionalProperties,
// items, prefixItems (also in the older spelling: items as a list, with additionalItems), minItems, maxItems, uniqueItems,
// minLength, maxLength, pattern, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, minProperties, maxProperties,
// oneOf, anyOf, allOf, not, format, definitions and $defs, boolean schemas. Annotations: title, description, default, examples,
// $comment, $schema, and $id of the whole document. Any other keyword is an error: a contract whose half is ignored is a trap.
//
// Where we differ: a format is asserted, always; the type "bytes" is a binary attachment (Value::Kind::kBytes), whose octets
// minLength and maxLength count; a pattern is RE2's, without back-references and look-around; of a string with half a surrogate
// pair, patterns and formats see the escape. Equal is what Value calls equal; bounds and multiples of numbers are exact.
//
// Limits: JsonSchemaLimits. Recursion by $ref follows the instance only; a loop that consumes nothing does not compile.
// Threads: immutable after compile; a copy shares the program and any thread may validate.
// Why not a packaged validator: those of Debian have a JSON value of their own, so that each message would be converted, and
// std::regex below the patterns.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tidewire/status.h"
#include "tidewire/value.h"

namespace tidewire::policy {

struct JsonSchemaLimits {
  static constexpr std::size_t kNodesMax = 1'000;       // schemas in the document, the outer one included
  static constexpr std::size_t kDepthMax = 64;          // of schemas within schemas
  static constexpr std::size_t kValuesMax = 20'000;     // JSON values in the document, enum and const included
  static constexpr std::size_t kEnumMax = 1'000;        // values of one enum
  static constexpr std::size_t kPatternsMax = 64;       // each may take kPatternBytesMax while it matches
  static constexpr std::size_t kPatternBytesMax = 1024 * 1024;
  static constexpr std::size_t kPatternProgramMax = 5'000;  // RE2's instructions; \p{L} takes 1,200: maxLength, not {1,20}
  static constexpr std::size_t kStepsMax = 100'000;     // per validation: schemas tried, members, parts of long strings
  static constexpr std::size_t kEvaluationsOpenMax = 1'024;
  static constexpr std::size_t kMessageBytesMax = 200;  // of a violation; so is its pointer
};

struct Violation {
  std::string pointer;       // RFC 6901: "/lines/0/id"; empty for the whole instance
  std::string_view keyword;  // static: "minimum"; "false" for the schema `false`, "limit" for what is too much work
  std::string message;       // for people: `expected at least 1, found 0`; of the instance at most a short cut
};

struct JsonSchemaProgram;

class JsonSchema {
 public:
  // What is wrong with the schema, with a JSON pointer: `#/properties/id/minLenght: unknown keyword "minLenght", ...`.
  static Result<JsonSchema> compile(const Value& schema);

  // The first violation, or none.
  std::optional<Violation> validate(const Value& instance) const;
  // True: the instance of this text is good. False: ask validate(). Costs less than a Value is made for.
  // REQUIRES: scanned, without attachments
  bool accepts(std::string_view json) const;

 private:
  explicit JsonSchema(std::shared_ptr<const JsonSchemaProgram> program) noexcept : program_(std::move(program)) {}

  std::shared_ptr<const JsonSchemaProgram> program_;
};

}  // namespace tidewire::policy
