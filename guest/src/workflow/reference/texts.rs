//! What people read of each kind and field: one sentence, and an example.
//!
//! The names are those of the tables that the parser reads. A test holds that
//! none is missing and none is left over.

/// What is said of an object: of a kind, or of a part of a workflow.
pub(super) struct ObjectText {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// The rules that say more.
    pub(super) rules: &'static str,
    pub(super) fields: &'static [FieldText],
}

/// What is said of a field.
pub(super) struct FieldText {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Its value where it is left out; empty: there is none.
    pub(super) default: &'static str,
    /// A value, in JSON.
    pub(super) example: &'static str,
}

const fn object(
    name: &'static str,
    rules: &'static str,
    about: &'static str,
    fields: &'static [FieldText],
) -> ObjectText {
    ObjectText {
        name,
        about,
        rules,
        fields,
    }
}

const fn field(
    name: &'static str,
    default: &'static str,
    example: &'static str,
    about: &'static str,
) -> FieldText {
    FieldText {
        name,
        about,
        default,
        example,
    }
}

/// What JamJet writes and nothing comes of.
const fn jamjets(name: &'static str, example: &'static str) -> FieldText {
    field(name, "", example, "JamJet's.")
}

const SCHEMA: FieldText = field(
    "output_schema",
    "",
    r#""schemas.Answer""#,
    "The name of the schema of its output, for the worker.",
);
const OUTPUT_KEY: FieldText = field(
    "output_key",
    "",
    r#""answer""#,
    "The key of its result, for the worker.",
);

/// The parts of a workflow that are no kinds.
#[rustfmt::skip]
pub(super) const PARTS: [ObjectText; 9] = [
    object("workflow", "R1", "A workflow: nodes, the edges between them, and what holds for all of them.", &[
        field("$schema", "", r#""workflow.schema.json""#, "Where the JSON Schema of this format is, for editors; it changes nothing."),
        field("workflow_id", "", r#""refunds""#, "Its name: 1 to 256 bytes without control characters."),
        field("version", "`0.0.0+` and twelve digits of the text's SHA-256", r#""1.0.0""#, "Its version, three numbers; what is registered never changes, so each edit needs another one."),
        field("name", "", r#""Refunds""#, "A name for people."),
        field("description", "", r#""Pays refunds back""#, "What it is for, for people."),
        field("labels", "", r#"{"team": "claims"}"#, "Labels for people and tools."),
        field("start_node", "", r#""fetch""#, "The node that is ready at once."),
        field("nodes", "", r#"{"fetch": {"kind": {"type": "command", "argv": ["./fetch"]}}}"#, "Its nodes, by their ids."),
        field("edges", "`[]`", r#"[{"from": "fetch", "to": "end"}]"#, "Its edges; those that kinds name need not be written a second time."),
        field("retry_policies", "`{}`", r#"{"twice": {"max_attempts": 2}}"#, "Retry policies of its own, by their names; they come before the built-in ones."),
        field("timeouts", "", r#"{"workflow_timeout": 3600}"#, "How long all of it, each attempt and each approval may take."),
        field("limits", "", r#"{"max_concurrent_nodes": 4}"#, "Limits that are narrower than those of the engine."),
        field("token_budget", "", "100000", "How many tokens the models of an execution may use: a number of all, or an object with `total_tokens`, `input_tokens` and `output_tokens` (R28)."),
        field("cost_budget_usd", "", "2.50", "What an execution may cost, in US dollars (R28)."),
        field("on_budget_exceeded", "`fail`", r#""pause""#, "What follows when a budget is spent: the execution fails (`fail`), or waits for a person (`pause`)."),
        jamjets("state_schema", r#""schemas.State""#), jamjets("models", "{}"), jamjets("tools", "{}"), jamjets("mcp_servers", "{}"),
        jamjets("remote_agents", "{}"), jamjets("policy", "{}"), jamjets("data_policy", "{}"), jamjets("continue_as_new", "false"),
        jamjets("strategy_metadata", "{}"),
    ]),
    object("node", "R1, R5", "A node: what is done, how often it is tried, and how urgent it is.", &[
        field("id", "its key", r#""fetch""#, "Its id once more, as JamJet writes it."),
        field("kind", "", r#"{"type": "command", "argv": ["./fetch"]}"#, "What it does: one of the kinds below."),
        field("retry_policy", "3 attempts", r#""io_default""#, "The name of its retry policy: `no_retry`, `io_default`, `llm_default`, or one of `retry_policies` (R12). It has no effect on a node that neither a worker nor a child does, and `refrain validate` says so."),
        field("node_timeout_secs", "`node_timeout` of the workflow", "30", "How long one attempt may take, in seconds, from its claim; a child's, from its start. Not on nodes that are not attempted (R14): a `wait` and a `human_approval` have `timeout_secs` in their `kind`."),
        field("queue", "that of its kind", r#""gpu""#, "The queue on which its work waits; only where a worker does it, or its instances."),
        field("priority", "that of the execution", "9", "How urgent its work is, the greater first; only where a worker does it."),
        field("lease_secs", "that of the engine", "60", "How long a claim of its work holds without a heartbeat, in seconds; only where a worker does it (R13)."),
        field("run_on", "", r#""always""#, "Makes a finalizer of it, which runs at the end if the execution succeeds, fails, or always; only where a worker does it (R16)."),
        field("compensate", "", r#"{"type": "command", "argv": ["./release", "${output.id}"]}"#, "A kind that a worker does and that undoes the node where the execution ends otherwise than well; its expressions read `output` besides, and in a map `item` and `index`; only where a worker or a child completes the node (R27)."),
        field("description", "", r#""Fetches the claim""#, "What it is for, for people; of a `limit_exceeded` node, the error."),
        field("labels", "", r#"{"simulate_ms": "1500"}"#, "Labels for people and tools."),
        jamjets("policy", "{}"), jamjets("data_policy", "{}"),
    ]),
    object("edge", "R3, R7, R26", "An edge: its target may run when its source has completed, or failed for good, and its condition holds.", &[
        field("from", "", r#""fetch""#, "The node that it comes from."),
        field("to", "", r#""score""#, "The node that it leads to, or `end`."),
        field("condition", "always", r#""state.score >= 5""#, "Whether it is live: an expression over `state` and `input` (R8), and over `error` where a failure is judged."),
        field("on", "`success`", r#""failure""#, "What has to become of its source: `success`, `failure` (the edge handles it), or `always`."),
    ]),
    object("retry_policy", "R11, R12", "A retry policy: how often a node is tried, and after which delays.", &[
        field("max_attempts", "", "3", "The most attempts, the first included."),
        field("backoff", "2, 4, 8 … to 64 seconds", r#""exponential""#, "How the delay grows."),
        field("initial_delay", "", "1", "The delay after the first failed attempt, in seconds."),
        field("max_delay", "`initial_delay`, where the back-off is fixed", "30", "The longest delay, in seconds."),
        field("jitter", "`false`", "true", "Whether each delay is between half of itself and all of it, so that not all come back at once."),
        field("retryable_on", "all classes", r#"["timeout", {"custom": "busy"}]"#, "The error classes that are tried again."),
        field("on_exhausted", "`fail`", r#""pause""#, "What follows the last attempt: the node has failed for good, or the execution waits for a person."),
    ]),
    object("timeouts", "R14", "The timeouts of a workflow.", &[
        field("node_timeout", "none", "300", "How long one attempt of a node may take, in seconds, where the node does not say it."),
        field("workflow_timeout", "none", "3600", "How long an execution may take, in seconds."),
        field("approval_timeout", "none", "86400", "How long a person has for an approval, in seconds, where the node does not say it."),
        field("heartbeat_interval", "", "30", "JamJet's; here the engine says how often workers are asked."),
    ]),
    object("limits", "R4", "The limits of a workflow; the engine's own hold too.", &[
        field("max_concurrent_nodes", "that of the engine", "4", "How many nodes are in flight at once."),
        field("max_dispatch_per_tick", "that of the engine", "2", "How many work items are ordered in one step."),
    ]),
    object("tolerate", "R21", "How many instances of a `map` may fail: a number, or a share.", &[
        field("failures", "", "3", "So many."),
        field("percent", "", "10", "So many of a hundred."),
    ]),
    object("repeat", "R23", "How often a `subgraph` starts its child: again, as long as an expression is true when one has ended well.", &[
        field("while", "", r#""last.failures > 0""#, "Whether it goes on: an expression over `last` (what the last child came to), `iteration` (from 0), `state` and `input`."),
        field("max", "", "10", "The most iterations."),
        field("on_max", "`fail`", r#""complete""#, "What becomes of the node if it would go on after those: `fail` or `complete`."),
    ]),
    object("branch", "R7", "A branch of a `condition`: the first one that is true is taken.", &[
        field("condition", "always", r#""state.ok""#, "Whether it is taken: an expression over `state` and `input` (R8)."),
        field("target", "", r#""end""#, "The node that it leads to, or `end`."),
    ]),
];

/// What may stand in every kind that has an input.
pub(super) const MAPPING: FieldText = field(
    "input_mapping",
    "`state` and `input`",
    r#"{"claim": "input.claim"}"#,
    "The worker's input: names, and expressions over `state` and `input` (R8).",
);

/// The kinds.
#[rustfmt::skip]
pub(super) const KINDS: [ObjectText; 26] = [
    object("command", "R5", "Runs a program; its JSON object on stdout is the patch of the state.", &[
        field("argv", "", r#"["./pay", "--once"]"#, "The program's name and its arguments; no shell reads them."),
        field("cwd", "the engine's folder", r#""jobs""#, "The folder in which it runs."),
        field("env", "", r#"{"CURRENCY": "EUR"}"#, "Variables of its environment, besides those of the engine; for a secret, `${secret.NAME}` (R29)."),
        field("output", "JSON where it is JSON, else a text", r#""last_line""#, "What of stdout is the answer: its last line, all of it as JSON (anything else fails the node for good), all of it as a text without white space at both ends, or nothing."),
    ]),
    object("http", "R5", "Makes a request; an answer with a status of 2xx completes the node.", &[
        field("url", "", r#""http://localhost:8000/claims""#, "Where to: `http` or `https`."),
        field("method", "`GET`", r#""POST""#, "The method."),
        field("headers", "", r#"{"Accept": "application/json"}"#, "Headers of the request; for a secret, `${secret.NAME}` (R29)."),
        field("body", "the node's input; none with GET and HEAD", r#"{"id": 7}"#, "What is sent; the text `\"\"` sends an empty body."),
        field("follow_redirects", "`same_origin`", r#""never""#, "Which redirects are followed."),
    ]),
    object("task", "R5", "Everybody's own work: its worker sees these and any other fields.", &[
        field("queue", "", r#""gpu""#, "The queue on which it waits."),
    ]),
    object("model", "R5", "A call of a language model, on the queue `model`.", &[
        field("model_ref", "", r#""small""#, "The model."),
        field("prompt_ref", "", r#""prompts/score""#, "The prompt."),
        field("system_prompt", "", r#""Be short.""#, "What the model is told first."),
        field("tools", "", r#"["search"]"#, "The tools that it may use."),
        SCHEMA,
    ]),
    object("tool", "R5", "Work for the workers of the queue `tool`.", &[
        field("tool_ref", "", r#""score""#, "Which tool."), SCHEMA,
    ]),
    object("python_fn", "R5", "A function in Python, on the queue `python_tool`.", &[
        field("module", "", r#""claims.score""#, "The module."), field("function", "", r#""score""#, "The function."),
        field("agent_tool_dispatch", "", "false", "JamJet's, for the worker."), SCHEMA,
    ]),
    object("java_fn", "R5", "A method in Java, on the queue `java_tool`.", &[
        field("class_name", "", r#""org.example.Score""#, "The class."), field("method", "", r#""score""#, "The method."),
        field("agent_tool_dispatch", "", "false", "JamJet's, for the worker."), SCHEMA,
    ]),
    object("condition", "R6, R7", "Takes the first of its branches that is true; without branches, ordinary work on the queue `general`.", &[
        field("branches", "`[]`", r#"[{"condition": "state.ok", "target": "end"}]"#, "Its branches, in order."),
        field("expression", "", "null", "JamJet's."),
    ]),
    object("parallel", "R6", "Where several edges begin at once.", &[
        field("branches", "`[]`", r#"["a", "b"]"#, "Nodes that it leads to; edges that are written count too."),
    ]),
    object("join", "R6, R24", "Where several edges meet.", &[
        field("wait_for", "`[]`", r#"["a", "b"]"#, "Nodes that it waits for; edges that are written count too."),
        field("merge_strategy", "`collect`", r#""first""#, "Waits for all edges (`collect`), for the first one that is live (`first`), for so many (`{\"count\": 2}`), or is work of a function of a worker's (`{\"custom\": {\"function_ref\": …}}`)."),
        field("cancel_rest", "`false`", "true", "Whether the nodes that lead to nothing but the join are stopped once it is settled; with `first` and a number alone."),
    ]),
    object("wait", "R19", "Waits for a time, for an external event, or for whichever comes first.", &[
        field("condition", "", r#""either""#, "What it waits for."),
        field("correlation_key", "", r#""payment""#, "The key of the external event; not for `timer`."),
        field("timeout_secs", "for ever, for `external_event`", "60", "How long the timer runs, in seconds; for `external_event`, when the node fails."),
        field("until", "", r#""2030-01-31T09:30:00+02:00""#, "The time at which it ends, by RFC 3339, in place of `timeout_secs`; expressions in it are resolved as the wait begins."),
        field("keep", "`true`", "false", "Whether an event that comes before it waits counts."),
    ]),
    object("human_approval", "R19", "Waits for a person, who approves or rejects.", &[
        field("description", "", r#""Pay it?""#, "What the person is asked."),
        field("timeout_secs", "`approval_timeout` of the workflow", "86400", "How long to wait, in seconds."),
        field("fallback_node", "the node fails", r#""end""#, "Where to go when nobody answers in time: a node, or `end`."),
    ]),
    object("map", "R21", "Runs its body for each element of a list, in instances `ID[0]`, `ID[1]` and so on; the state gets the list of their outputs.", &[
        field("over", "", r#""state.files""#, "The list: an expression over `state` and `input`."),
        field("body", "", r#"{"type": "command", "argv": ["./measure", "${item}"]}"#, "The kind of each instance, one that a worker does; its expressions may read `item` and `index`, and its input is both of them where it has no `input_mapping`."),
        field("max_concurrent", "the limit of the execution", "4", "How many instances are under way at once."),
        field("tolerate", "none", r#"{"percent": 10}"#, "How many instances may fail."),
        field("complete_after", "all", "3", "How many completed or skipped instances are enough."),
        field("cancel_rest", "`false`", "true", "Whether the other instances under way are stopped once enough have completed."),
        field("output_key", "the node's id", r#""sizes""#, "The key of the list of outputs in the state."),
        field("max_items", "100000", "500", "How many elements the list may have."),
    ]),
    object("subgraph", "R22", "Starts an execution of another workflow, its child, and completes with it; the state gets the child's final state.", &[
        field("workflow_id", "that of `body`", r#""billing""#, "The child's workflow, which has to be registered."),
        field("version", "that of `body`", r#""1.0.0""#, "Its version; there is no latest one."),
        field("body", "the workflow that is named", r#"{"start_node": "try", "nodes": {"try": {"kind": {"type": "command", "argv": ["./try"]}}}}"#, "The child's workflow written in place, without `workflow_id` and `version`."),
        field("output_key", "the node's id", r#""bill""#, "The key of the child's final state in the state."),
        field("merge", "`false`", "true", "Whether the keys of the child's final state are merged into the state instead."),
        field("detached", "`false`", "true", "Whether nobody waits for the child: the node completes when it was started."),
        field("repeat", "once", r#"{"while": "!last.passed", "max": 5}"#, "Starts one child after another (R23)."),
    ]),
    object("limit_exceeded", "R6", "Fails for good: a limit of the workflow's own was reached.", &[
        field("description", "that of the node", r#""too many pages""#, "The error."),
    ]),
    object("terminate", "R24", "Ends the execution, and stops what is under way.", &[
        field("status", "", r#""failed""#, "What the execution comes to: `completed` or `failed`."),
        field("reason", "", r#""no stock""#, "Why, for people."),
    ]),
    object("finalizer", "R16", "Work on the queue `tool` that runs at the end; JamJet's spelling of a `tool` with `run_on`.", &[
        field("tool_ref", "", r#""clean_up""#, "Which tool."), field("run_on", "", r#""always""#, "On which endings it runs."),
    ]),
    object("memory_retrieval", "R5", "Looks something up, on the queue `retrieval`.", &[
        field("connector_ref", "", r#""notes""#, "Where."), field("query_expr", "", r#""state.question""#, "What, for the worker."), SCHEMA,
    ]),
    object("policy", "R5", "Judges by a policy, on the queue `general`; its worker may choose the branch.", &[
        field("policy_ref", "", r#""spending""#, "The policy."),
        field("on_violation", "", r#""fail""#, "What a violation leads to: `fail`, `warn`, or a node (`{\"branch\": {\"target\": …}}`)."),
    ]),
    object("agent", "R5", "An agent, on the queue `general`.", &[
        field("agent_ref", "", r#""scorer""#, "Which agent."), SCHEMA,
    ]),
    object("mcp_tool", "R5", "A tool of an MCP server, on the queue `tool`.", &[
        field("server", "", r#""files""#, "The server."), field("tool", "", r#""read""#, "The tool."), SCHEMA,
    ]),
    object("a2a_task", "R5", "A task for a remote agent, on the queue `tool`; its worker may choose the node that gets input.", &[
        field("remote_agent", "", r#""lawyer""#, "The agent."), field("skill", "", r#""review""#, "What it is to do."),
        field("stream", "", "false", "Whether the agent streams, for the worker."),
        field("on_input_required", "", r#""end""#, "Where to go when the agent needs input: a node, or `end`."),
        field("timeout_secs", "", "60", "How long the agent may take, for the worker."), SCHEMA,
    ]),
    object("agent_discovery", "R5", "Finds agents, on the queue `general`.", &[
        field("skill", "", r#""review""#, "What they are to be able to do."), field("protocol", "", r#""a2a""#, "How they are asked, for the worker."),
        field("output_binding", "", r#""agents""#, "Where the result goes, for the worker."),
    ]),
    object("coordinator", "R5", "Gives a task to one of several agents, on the queue `general`.", &[
        field("task", "", r#""review the claim""#, "The task."), field("required_skills", "", r#"["law"]"#, "Skills that the agent must have."),
        field("preferred_skills", "", r#"["insurance"]"#, "Skills that it had better have."), field("trust_domain", "", r#""example.org""#, "Whose agents are asked."),
        field("budget", "", r#"{"usd": 1}"#, "What it may cost, for the worker."), field("tiebreaker", "", "{}", "Who decides among equals, for the worker."),
        field("strategy", "", r#""default""#, "How the agent is chosen, for the worker."), field("weights", "", r#"{"cost_fit": 0.2}"#, "What counts how much, for the worker."),
        OUTPUT_KEY,
    ]),
    object("agent_tool", "R5", "An agent that is used as a tool, on the queue `general`.", &[
        field("agent", "", r#""scorer""#, "Which agent."), field("mode", "", r#""sync""#, "How it is called, for the worker."), OUTPUT_KEY,
        field("timeout_ms", "", "1000", "How long it may take, for the worker."), field("budget", "", r#"{"usd": 1}"#, "What it may cost, for the worker."),
    ]),
    object("eval", "R5", "Judges an output, on the queue `general`.", &[
        field("scorers", "", r#"[{"type": "exact"}]"#, "Who judges."), field("on_fail", "", r#""halt""#, "What follows a bad result, for the worker."),
        field("max_retries", "", "2", "How often to try again, for the worker."), field("input_expr", "", r#""state.answer""#, "What is judged, for the worker."),
    ]),
];
