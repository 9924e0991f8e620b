//! What may be typed: the commands and their options, with the help that explains them.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use jiff::civil::Date;
use reachproof_engine::network::NodeLimit;
use reachproof_model::flow::Question;

use crate::exit::Exit;
use crate::reference::SchemaName;

const ABOUT: &str =
    "Proves what can and cannot reach what in an AWS network, offline, from its own configuration";

const INPUT_HELP: &str = "Inputs are recognised by content and merged:
  a directory of AWS CLI answers, every *.json in it; folders <account>/<region>/ say whose they are
  a scenario file, `reachproof: scenario/v1`
  a compiled snapshot, which stands alone
  -, the standard input
A file may have up to 8 GiB.";

const SELECTOR_HELP: &str = "Selectors name sets of endpoints:
  internet, onprem, any-external, any
  <id or ARN>, name:<Name tag>, tag:<key>[=<value>], kind:<kind>, plan:<resource address>
  <address or CIDR>, internet:<address>, <gateway id>:<address>, service:<name>
  new:<subnets>[+<group>...][+public], an interface that might be created there
A comma is a union, !x takes away, * and ? match parts of ids, names and values.
A selector that matches nothing is an error unless the word allow-empty is among its terms.";

const CHECK_EXAMPLES: &str = "Examples:
  reachproof check snapshot/ --policy policy.yaml
  reachproof check snapshot/ --policy policy.yaml --format json -o reachproof.json
  reachproof check snapshot/ --policy policy.yaml --format sarif -o reachproof.sarif
  reachproof check snapshot/ --policy policy.yaml --date 2027-01-31 --strict
  reachproof check snapshot/ --policy policy.yaml --certificates evidence/";

const TRACE_EXAMPLES: &str = "Examples:
  reachproof trace snapshot/ --from internet:203.0.113.5 --to name:web --port 443
  reachproof trace snapshot/ --from i-0abc --to 10.0.1.10 --protocol icmp
  reachproof trace snapshot/ --from vgw-0abc:192.168.0.5 --to eni-0abc --protocol udp --port 53
  reachproof trace snapshot/ --flows flows.jsonl --format json";

const REACH_EXAMPLES: &str = "Examples:
  reachproof reach snapshot/ --from internet
  reachproof reach snapshot/ --from tag:env=dev --to tag:env=prod --port tcp/5432 --question connection
  reachproof reach snapshot/ --from internet --to new:subnet-0abc+sg-0abc --format json";

const GENERATE_EXAMPLES: &str = "Examples:
  reachproof generate --interfaces 2000 --seed 7 -o organisation/
  reachproof check organisation/ --policy organisation/policy.yaml
  reachproof generate --interfaces 1000000 --seed 7 -o big/
  reachproof generate --interfaces 2000 --mutate 5 -o faulty/";

const COMPILE_EXAMPLES: &str = "Examples:
  reachproof compile snapshot/ -o network.compiled
  reachproof check network.compiled --policy policy.yaml";

const VERIFY_EXAMPLES: &str = "Examples:
  reachproof verify evidence/no-inbound-internet.cert snapshot/
  reachproof verify evidence/*.cert network.compiled --policy policy.yaml";

const SCHEMA_EXAMPLES: &str = "Examples:
  reachproof schema policy > policy.schema.json
  reachproof schema";

const COMPLETION_EXAMPLES: &str = "Examples:
  reachproof completions bash > ~/.local/share/bash-completion/completions/reachproof
  reachproof completions fish > ~/.config/fish/completions/reachproof.fish";

const MAN_EXAMPLES: &str = "Examples:
  reachproof man | man -l -
  reachproof man check > reachproof-check.1";

/// The parts of a help text that follow the options.
macro_rules! after_help {
    ($($part:expr),+) => {
        [$($part),+, Exit::MEANINGS].join("\n\n")
    };
}

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "reachproof", version, about = ABOUT, max_term_width = 100, propagate_version = true)]
#[command(arg_required_else_help = true, after_help = after_help!(INPUT_HELP, SELECTOR_HELP, CHECK_EXAMPLES))]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decide every property of policy files, with evidence
    #[command(after_help = after_help!(INPUT_HELP, CHECK_EXAMPLES))]
    Check(CheckArguments),
    /// Follow one packet and its reply, hop by hop
    #[command(after_help = after_help!(INPUT_HELP, SELECTOR_HELP, TRACE_EXAMPLES))]
    Trace(TraceArguments),
    /// List every flow from some endpoints to others, exactly
    #[command(after_help = after_help!(INPUT_HELP, SELECTOR_HELP, REACH_EXAMPLES))]
    Reach(ReachArguments),
    /// Write a made-up organisation as AWS CLI answers, with a policy that holds
    #[command(after_help = after_help!(GENERATE_EXAMPLES))]
    Generate(GenerateArguments),
    /// Write the snapshot as one file that loads much faster
    #[command(after_help = after_help!(INPUT_HELP, COMPILE_EXAMPLES))]
    Compile(CompileArguments),
    /// Check certificates by a program of their own, which shares nothing with the search
    #[command(after_help = after_help!(INPUT_HELP, VERIFY_EXAMPLES))]
    Verify(VerifyArguments),
    /// Print the JSON Schema of an answer or of policy files
    #[command(after_help = after_help!(SCHEMA_EXAMPLES))]
    Schema(SchemaArguments),
    /// Print a completion script for a shell
    #[command(after_help = after_help!(COMPLETION_EXAMPLES))]
    Completions(CompletionsArguments),
    /// Print a manual page
    #[command(after_help = after_help!(MAN_EXAMPLES))]
    Man(ManArguments),
}

impl Command {
    /// The limits of time and memory, of a command that has some.
    pub fn watch(&self) -> Option<&WatchArguments> {
        match self {
            Self::Check(arguments) => Some(&arguments.limits.watch),
            Self::Reach(arguments) => Some(&arguments.limits.watch),
            Self::Trace(arguments) => Some(&arguments.limits),
            Self::Verify(arguments) => Some(&arguments.limits),
            _ => None,
        }
    }
}

/// The most threads that can be asked for; more would only cost memory.
const MAX_THREADS: usize = 1024;

fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= MAX_THREADS);
    number.ok_or_else(|| format!("expected a number from 1 to {MAX_THREADS}"))
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Use this many threads instead of one a core; the answer is the same
    #[arg(long, global = true, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
    /// When to paint the answer
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: ColourChoice,
    /// Say nothing on standard error but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell on standard error what is done and how long it takes
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// When to paint.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum ColourChoice {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The inputs of a command that reads a network.
#[derive(Debug, Args)]
pub struct InputArguments {
    /// Files and directories that describe the network
    #[arg(value_name = "INPUT", value_hint = ValueHint::AnyPath, required_unless_present = "snapshot")]
    inputs: Vec<PathBuf>,
    /// The same, as an option
    #[arg(long, value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    snapshot: Vec<PathBuf>,
}

impl InputArguments {
    /// All inputs, in the order they were given.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.inputs.iter().chain(&self.snapshot).cloned().collect()
    }
}

/// Options that change what is claimed.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is claimed")]
pub struct ClaimArguments {
    /// Answer unknown wherever the answer would rest on a trusting assumption or a missing inventory
    #[arg(long)]
    pub strict: bool,
    /// Assume something that the input does not show; the answer says so
    #[arg(long, value_name = "WHAT", value_enum)]
    pub assume: Vec<Assume>,
    /// Leave out what is stopped or detached, though it may come back; the answer says so
    #[arg(long)]
    pub live_only: bool,
}

/// What `--assume` may name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Assume {
    /// Network ACLs that were not collected are AWS's default, which allows everything (R-NACL-15).
    DefaultNacl,
}

/// What a command may use of the machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits (a command that hits one decides nothing)")]
pub struct WatchArguments {
    /// Time from the start to the answer
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub limit_time: Option<Duration>,
    /// Resident memory, where the system tells it (Linux)
    #[arg(long, value_name = "MIB")]
    pub limit_memory: Option<u32>,
}

/// What a search may use.
#[derive(Debug, Args)]
pub struct SearchArguments {
    /// Time and memory.
    #[command(flatten)]
    pub watch: WatchArguments,
    /// Nodes of the decision diagrams of one exploration
    #[arg(long, value_name = "N", default_value_t = NodeLimit::default().0)]
    pub limit_nodes: u32,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number).ok());
    number.ok_or_else(|| "expected a number of seconds".to_owned())
}

/// Where the answer goes.
#[derive(Debug, Args)]
pub struct AnswerArguments {
    /// Write the answer to this file, whole or not at all
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// The form of an answer, one of the first `COUNT` in [`Format::NAMES`], and where it goes.
#[derive(Debug, Args)]
pub struct FormattedAnswerArguments<const COUNT: usize> {
    /// The form of the answer
    #[arg(long, default_value = "text", value_parser = Format::parser(COUNT), value_name = "FORMAT")]
    pub format: Format,
    /// Where the answer goes.
    #[command(flatten)]
    pub to: AnswerArguments,
}

/// The forms an answer can take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: stable, sorted, described by `reachproof schema`.
    Json,
    /// For pull requests.
    Markdown,
    /// For code scanning.
    Sarif,
    /// For test reports.
    Junit,
}

impl Format {
    const NAMES: [(&str, Self); 5] = [
        ("text", Self::Text),
        ("json", Self::Json),
        ("markdown", Self::Markdown),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
    ];

    /// A parser of the first formats, `count` of them.
    fn parser(count: usize) -> impl TypedValueParser<Value = Self> {
        let names = Self::NAMES.iter().take(count).map(|(name, _)| *name);
        PossibleValuesParser::new(names.collect::<Vec<_>>()).map(|typed| {
            let found = Self::NAMES.iter().find(|(name, _)| *name == typed);
            found.map_or(Self::Text, |(_, format)| *format)
        })
    }
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// The network.
    #[command(flatten)]
    pub input: InputArguments,
    /// Policy files; several count as one
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath, required = true)]
    pub policy: Vec<PathBuf>,
    /// The day on which waivers are judged, instead of today (UTC)
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<Date>,
    /// Ask this question of every property, whatever it says
    #[arg(long, value_parser = question_parser(), value_name = "QUESTION")]
    pub question: Option<Question>,
    /// Write a certificate of each property that holds, and the witnesses of each that is violated, into this folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub certificates: Option<PathBuf>,
    /// Say on standard error how many of the faults that `generate --mutate` listed the answer finds, and what else
    #[arg(long, value_name = "FAULTS.JSON", value_hint = ValueHint::FilePath)]
    pub faults: Option<PathBuf>,
    /// The form of the answer, and where it goes.
    #[command(flatten)]
    pub answer: FormattedAnswerArguments<5>,
    /// What is claimed.
    #[command(flatten)]
    pub claim: ClaimArguments,
    /// What it may use.
    #[command(flatten)]
    pub limits: SearchArguments,
}

/// Arguments of `trace`.
#[derive(Debug, Args)]
pub struct TraceArguments {
    /// The network.
    #[command(flatten)]
    pub input: InputArguments,
    /// Who sends: internet[:address], <gateway>:<address>, an address, or a selector for one interface
    #[arg(long, value_name = "END", required_unless_present = "flows")]
    pub from: Option<String>,
    /// Who is to receive
    #[arg(long, value_name = "END", required_unless_present = "flows")]
    pub to: Option<String>,
    /// Trace many: a file with one JSON object a line, with the names of these options (- for standard input)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["from", "to", "protocol", "source_port", "port", "icmp_type", "icmp_code"])]
    pub flows: Option<PathBuf>,
    /// tcp, udp, icmp or an IP protocol number; tcp if only ports are given
    #[arg(long, value_name = "PROTOCOL")]
    pub protocol: Option<String>,
    /// Source port; 49152 if not given
    #[arg(long, value_name = "N")]
    pub source_port: Option<u16>,
    /// Destination port
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// ICMP type; an echo request if not given
    #[arg(long, value_name = "N")]
    pub icmp_type: Option<u8>,
    /// ICMP code; 0 if not given
    #[arg(long, value_name = "N", requires = "icmp_type")]
    pub icmp_code: Option<u8>,
    /// Whether the packet has to arrive, or its reply has to come back too
    #[arg(long, default_value = "packet", value_parser = question_parser(), value_name = "QUESTION")]
    pub question: Question,
    /// The form of the answer, and where it goes.
    #[command(flatten)]
    pub answer: FormattedAnswerArguments<3>,
    /// What is claimed.
    #[command(flatten)]
    pub claim: ClaimArguments,
    /// What it may use.
    #[command(flatten)]
    pub limits: WatchArguments,
}

/// Arguments of `reach`.
#[derive(Debug, Args)]
pub struct ReachArguments {
    /// The network.
    #[command(flatten)]
    pub input: InputArguments,
    /// Sources; everything if not given
    #[arg(long, value_name = "SELECTOR")]
    pub from: Option<String>,
    /// Destinations; everything if not given
    #[arg(long, value_name = "SELECTOR")]
    pub to: Option<String>,
    /// Only these protocols: tcp, udp, icmp, icmpv6 or numbers
    #[arg(long, value_name = "PROTOCOL", value_delimiter = ',')]
    pub protocol: Vec<String>,
    /// Only these destination ports: tcp/443, udp/8000-8999; with --protocol, the numbers alone
    #[arg(long, value_name = "PORT", value_delimiter = ',')]
    pub port: Vec<String>,
    /// Every flow that is delivered, or only those whose reply comes back
    #[arg(long, default_value = "packet", value_parser = question_parser(), value_name = "QUESTION")]
    pub question: Question,
    /// The form of the answer, and where it goes.
    #[command(flatten)]
    pub answer: FormattedAnswerArguments<3>,
    /// What is claimed.
    #[command(flatten)]
    pub claim: ClaimArguments,
    /// What it may use.
    #[command(flatten)]
    pub limits: SearchArguments,
}

/// Arguments of `generate`. Equal arguments give equal files on every machine and any number of threads.
#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// How many network interfaces there are in all
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub interfaces: u32,
    /// Where all choices come from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many VPCs there are for workloads, four an account; one for 1000 interfaces, and 8 at least
    #[arg(long, value_name = "N")]
    pub vpcs: Option<u32>,
    /// How many Regions, 1 to 4; two if there are 16 VPCs or more
    #[arg(long, value_name = "N")]
    pub regions: Option<u32>,
    /// How many interfaces a workload has on average; the sizes follow Zipf's law
    #[arg(long, value_name = "N", default_value_t = 25)]
    pub workload: u32,
    /// In how many of a hundred workload VPCs there is IPv6
    #[arg(long, value_name = "PERCENT", default_value_t = 25)]
    pub ipv6: u32,
    /// Plant so many faults against the policy and list them in faults.json
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub mutate: u32,
    /// The folder to write, empty or not there yet
    #[arg(short, long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
}

/// Arguments of `compile`.
#[derive(Debug, Args)]
pub struct CompileArguments {
    /// The network.
    #[command(flatten)]
    pub input: InputArguments,
    /// Write the compiled snapshot to this file, whole or not at all (- for standard output)
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// Certificates, and files and directories that describe the network; their first bytes tell which is which
    #[arg(value_name = "CERTIFICATE|INPUT", value_hint = ValueHint::AnyPath, required = true, num_args = 2..)]
    pub files: Vec<PathBuf>,
    /// Policy files that the certificates' properties must stand in as they were proved
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub policy: Vec<PathBuf>,
    /// The day on which waivers of the policy are judged, instead of today (UTC)
    #[arg(long, value_name = "YYYY-MM-DD", requires = "policy")]
    pub date: Option<Date>,
    /// Where the answer goes.
    #[command(flatten)]
    pub answer: AnswerArguments,
    /// Time and memory.
    #[command(flatten)]
    pub limits: WatchArguments,
    /// Comparisons of header boxes in one certificate
    #[arg(long, value_name = "N", default_value_t = reachproof_checker::COMPARISONS)]
    pub limit_comparisons: u64,
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Which schema; without it their names are listed
    #[arg(value_enum)]
    pub name: Option<SchemaName>,
    /// Where the schema goes.
    #[command(flatten)]
    pub answer: AnswerArguments,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// Which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
    /// Where the script goes.
    #[command(flatten)]
    pub answer: AnswerArguments,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The command to describe; without it, the whole tool
    pub command: Option<String>,
    /// Where the page goes.
    #[command(flatten)]
    pub answer: AnswerArguments,
}

fn question_parser() -> impl TypedValueParser<Value = Question> {
    PossibleValuesParser::new(["packet", "connection"])
        .map(|typed| if typed == "connection" { Question::Connection } else { Question::Packet })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn inputs_may_be_positional_or_an_option() {
        let line = ["reachproof", "reach", "a", "--snapshot", "b", "--from", "internet"];
        let Command::Reach(arguments) = CommandLine::parse_from(line).command else { panic!() };
        assert_eq!(arguments.input.paths(), [PathBuf::from("a"), PathBuf::from("b")]);
        assert_eq!((arguments.question, arguments.answer.format), (Question::Packet, Format::Text));
        assert!(CommandLine::try_parse_from(["reachproof", "reach"]).is_err());
    }

    #[test]
    fn a_command_takes_the_formats_that_fit_it() {
        let parse = |line: &str| CommandLine::try_parse_from(line.split(' ')).is_ok();
        assert!(parse("reachproof check a --policy p --format json"));
        assert!(parse("reachproof reach a --format text"));
        assert!(!parse("reachproof reach a --format sarif"));
        assert!(parse("reachproof check a --policy p --format junit"));
        assert!(parse("reachproof trace a --from b --to c --format markdown"));
        assert!(!parse("reachproof trace a --from b --to c --format junit"));
    }

    #[test]
    fn flows_stand_alone() {
        let parse = |line: &str| CommandLine::try_parse_from(line.split(' ')).is_ok();
        assert!(parse("reachproof trace a --flows f"));
        assert!(!parse("reachproof trace a --flows f --from b"));
        assert!(!parse("reachproof trace a --flows f --port 1"));
        assert!(!parse("reachproof trace a --from b"));
    }
}
