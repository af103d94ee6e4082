#include "agent/audit_pass.h"

#include <span>

#include "agent/audit_classes.h"
#include "base/arena.h"
#include "capture/k8s_audit/audit_block.h"

namespace saker::agent {

namespace {

// An event that rules or analyses want to see in its order.
struct Row {
  uint64_t number = 0;
  std::string_view text;
  audit::AuditDigest digest;
  uint32_t first_hit = 0, hits = 0;
};

// What one thread needs to judge a piece of a log, and what it found there.
class Judge {
 public:
  Judge(const rules::RuleSet& rules, rules::Matching matching) : engine_(rules, matching) {}

  const capture::AuditBlock& judge(const capture::LogPiece& piece, const AuditPassUser& user) {
    rows_.clear();
    hits_.clear();
    events_ = 0;
    reader_.load(piece);
    event::Event event;
    while (reader_.next(event)) {
      event.number = ++events_;
      if (user.wants(reader_.record(), event)) judge(event);
    }
    return reader_;
  }

  // Of the piece that was judged last.
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] std::span<const uint32_t> hits(const Row& row) const {
    return std::span(hits_).subspan(row.first_hit, row.hits);
  }
  [[nodiscard]] uint64_t events() const { return events_; }

  [[nodiscard]] const rules::Engine& engine() const { return engine_; }

 private:
  void judge(const event::Event& event) {
    const audit::AuditRecord& record = reader_.record();
    scratch_.reset();
    context_ = {.event = &event, .audit = &record, .scratch = &scratch_};
    AuditClasses::Class& its_class = classes_.class_of(record);
    Row row{.number = event.number,
            .text = record.text(),
            .digest = AuditClasses::digest_of(record, its_class),
            .first_hit = static_cast<uint32_t>(hits_.size())};
    row.digest.time_ns = event.timestamp;
    const std::span<const uint32_t> hits = engine_.match(context_, &its_class.slot);
    hits_.insert(hits_.end(), hits.begin(), hits.end());
    row.hits = static_cast<uint32_t>(hits.size());
    rows_.push_back(row);
  }

  rules::Engine engine_;
  AuditClasses classes_;
  capture::AuditBlock reader_;
  Arena scratch_;
  filter::EvalContext context_;
  std::vector<Row> rows_;
  std::vector<uint32_t> hits_;  // rules, of all rows
  uint64_t events_ = 0;
};

// What is used in the order of the logs goes on from one log to the next.
struct Sequel {
  Sequel(const rules::RuleSet& rules, rules::Matching matching) : engine(rules, matching) {}

  rules::Engine engine;  // which counts bursts and makes findings; it matches nothing
  capture::AuditText record;
  Arena scratch;
  LogSummary summary;
};

using Judges = std::vector<std::unique_ptr<Judge>>;

// One log of a pass.
class PassOfLog : public BlockUser {
 public:
  PassOfLog(Sequel& sequel, Judges& judges, AuditPassUser& user)
      : sequel_(sequel), judges_(judges), user_(user) {}

  const capture::AuditBlock& read(unsigned thread, const capture::LogPiece& piece) override {
    return judges_[thread]->judge(piece, user_);
  }
  uint64_t use(unsigned thread) override {
    constexpr size_t kAhead = 8;
    const Judge& judge = *judges_[thread];
    const std::vector<Row>& rows = judge.rows();
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i + kAhead < rows.size()) user_.expect(rows[i + kAhead].digest);
      use_row(rows[i], judge.hits(rows[i]));
    }
    events_ += judge.events();
    return judge.events();
  }
  bool on_progress(uint64_t bytes) override { return user_.on_progress(bytes); }

 private:
  void use_row(const Row& row, std::span<const uint32_t> hits) {
    bool loaded = false;
    const auto record = [&]() -> const audit::AuditRecord& {
      if (!loaded) loaded = sequel_.record.load(row.text);
      return sequel_.record;
    };
    if (!user_.take(row.digest, record) || hits.empty()) return;
    event::Event event;
    event.source = event::Source::k8s_audit;
    event.type = event::PLUGINEVENT_E;
    event.timestamp = row.digest.time_ns;
    event.number = events_ + row.number;
    event.length = static_cast<uint32_t>(row.text.size());
    sequel_.scratch.reset();
    const filter::EvalContext context = {
        .event = &event, .audit = &record(), .scratch = &sequel_.scratch};
    for (const uint32_t rule : hits)
      if (sequel_.engine.admit(rule, context)) user_.on_match(sequel_.engine, rule, context);
  }

  Sequel& sequel_;
  Judges& judges_;
  AuditPassUser& user_;
  uint64_t events_ = 0;  // before the piece whose turn it is
};

}  // namespace

struct AuditPass::Impl {
  Impl(const rules::RuleSet& rules, rules::Matching matching, unsigned threads)
      : sequel(rules, matching) {
    for (unsigned i = 0; i < threads; ++i)
      judges.push_back(std::make_unique<Judge>(rules, matching));
  }

  Sequel sequel;
  Judges judges;
};

AuditPass::AuditPass(const rules::RuleSet& rules, rules::Matching matching, unsigned threads)
    : impl_(std::make_unique<Impl>(rules, matching, threads != 0 ? threads : reading_threads())) {}
AuditPass::~AuditPass() = default;

Status AuditPass::read(const std::string& path, AuditPassUser& user) {
  const std::unique_ptr<capture::BlockSource> source = SAKER_TRY(capture::open_blocks(path));
  return read(*source, user);
}

Status AuditPass::read(capture::BlockSource& source, AuditPassUser& user) {
  PassOfLog log(impl_->sequel, impl_->judges, user);
  return read_blocks(source, static_cast<unsigned>(impl_->judges.size()), log,
                     impl_->sequel.summary);
}

const LogSummary& AuditPass::summary() const {
  return impl_->sequel.summary;
}
const rules::RuleSet& AuditPass::rules() const {
  return impl_->sequel.engine.rules();
}

rules::RuleStats AuditPass::stats(uint32_t rule) const {
  rules::RuleStats all = impl_->sequel.engine.stats(rule);
  for (const auto& judge : impl_->judges) all += judge->engine().stats(rule);
  return all;
}

}  // namespace saker::agent
