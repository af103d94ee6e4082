// saker fields, saker events: what rules can name.
#include <set>

#include "base/strings.h"
#include "cmd/command.h"
#include "cmd/listing.h"
#include "cmd/rules.h"
#include "event/schema.h"
#include "fields/catalog.h"

namespace saker::cmd {

namespace {

struct FieldRow {
  const filter::FieldClass* group;
  const filter::FieldInfo* info;
};

std::string_view argument_of(const filter::FieldInfo& info) {
  switch (info.arg) {
    case filter::ArgRule::none: return "";
    case filter::ArgRule::optional: return "optional";
    case filter::ArgRule::required: return "required";
  }
  return "";
}

std::string type_of(const filter::FieldInfo& info) {
  std::string type(filter::to_string(info.type));
  return info.many == filter::Many::list ? "list of " + type : type;
}

std::string summary_of(const filter::FieldInfo& info) {
  std::string text(info.summary);
  if (info.has(filter::kDeprecated)) text += " (deprecated: never has a value)";
  if (info.has(filter::kNotComputed)) text += " (not computed)";
  if (info.has(filter::kFilterOnly)) text += " (conditions only)";
  if (info.has(filter::kPrintOnly)) text += " (outputs only)";
  return text;
}

std::vector<FieldRow> select(const FieldListOptions& options) {
  const std::string wanted = to_lower(options.search);
  std::vector<FieldRow> rows;
  for (const filter::FieldClass& group : fields::catalog().classes()) {
    if (!options.source.empty() && !group.source.empty() && group.source != options.source)
      continue;
    for (const filter::FieldInfo& info : group.fields)
      if (to_lower(info.name).find(wanted) != std::string::npos ||
          to_lower(info.summary).find(wanted) != std::string::npos)
        rows.push_back({.group = &group, .info = &info});
  }
  return rows;
}

std::string fields_json(const std::vector<FieldRow>& rows) {
  JsonWriter json;
  json.begin_array();
  for (const auto& [group, info] : rows) {
    json.begin_object();
    json.key("argument").text(info->arg == filter::ArgRule::none ? "none" : argument_of(*info));
    json.key("class").text(group->name);
    json.key("deprecated").boolean(info->has(filter::kDeprecated));
    json.key("list").boolean(info->many == filter::Many::list);
    json.key("name").text(info->name);
    json.key("source").text(group->source);
    json.key("summary").text(info->summary);
    json.key("type").text(filter::to_string(info->type));
    json.end_object();
  }
  return json.end_array().result() + "\n";
}

// Types that somebody can meet: those with a name that are no longer made count as well, since old
// captures hold them; unused numbers do not.
bool is_listed(const event::EventInfo& info) {
  return info.name != "NA" && !info.has(event::Unused) && !info.has(event::OldVersion);
}

std::string parameters_of(const event::EventInfo& info) {
  std::string text;
  for (const event::ParamInfo& param : info.params) {
    if (!text.empty()) text += ", ";
    text += std::string(param.name) + ": " + std::string(event::to_string(param.type));
  }
  return text;
}

std::string events_json() {
  JsonWriter json;
  json.begin_array();
  for (const event::EventInfo& info : event::all_events()) {
    if (!is_listed(info)) continue;
    json.begin_object();
    json.key("category").text(event::to_string(info.category));
    json.key("code").number(info.code);
    json.key("enter").boolean(info.is_enter);
    json.key("identifier").text(info.identifier);
    json.key("name").text(info.name);
    json.key("parameters").begin_array();
    for (const event::ParamInfo& param : info.params)
      json.begin_object()
          .key("name")
          .text(param.name)
          .key("type")
          .text(event::to_string(param.type))
          .end_object();
    json.end_array().end_object();
  }
  return json.end_array().result() + "\n";
}

}  // namespace

Result<int> fields_list(const FieldListOptions& options) {
  const std::vector<FieldRow> rows = select(options);
  if (options.json) {
    print(fields_json(rows));
    return kExitOk;
  }
  Table table({"FIELD", "TYPE", "ARGUMENT", "SUMMARY"});
  for (const auto& [group, info] : rows)
    table.add({std::string(info->name), type_of(*info), std::string(argument_of(*info)),
               summary_of(*info)});
  if (table.empty()) {
    std::vector<std::string> names;
    for (const FieldRow& row : select({})) names.emplace_back(row.info->name);
    const auto near = nearest(options.search, names);
    return Error{.code = Code::not_found,
                 .message = "no field has '" + options.search + "' in its name or summary",
                 .position = {},
                 .hint = near ? "did you mean '" + *near + "'?" : ""};
  }
  print(options.markdown ? table.to_markdown() : table.to_text());
  return kExitOk;
}

Result<int> events_list(bool json, bool markdown) {
  if (json) {
    print(events_json());
    return kExitOk;
  }
  Table table({"EVENT", "CATEGORY", "PARAMETERS"});
  for (const event::EventInfo& info : event::all_events())
    if (is_listed(info))
      table.add({std::string(info.name), std::string(event::to_string(info.category)),
                 parameters_of(info)});
  print(markdown ? table.to_markdown() : table.to_text());
  return kExitOk;
}

}  // namespace saker::cmd
