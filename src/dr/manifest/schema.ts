import {
  choice,
  duration,
  durationOrNone,
  durationWithin,
  flag,
  list,
  number,
  type Of,
  object,
  optional,
  required,
  scalars,
  text,
  variant,
} from "./shape.ts";

/** The manifest, key by key: the one place that says what it may hold. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const name = text(
  "a name",
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
  "A name has letters, digits, dots, - and _, begins with a letter or digit, and has at most 100 characters.",
);
/** Whether a text is one that hosts and databases may have as their name. */
export function isName(raw: string): boolean {
  return name("").pattern.test(raw);
}

const absolutePath = text("an absolute path", /^\/[^\u0000-\u001f]*$/, "Write the whole path, from / on.");
const relativePath = text(
  "a path below the databases folder",
  /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\u0000-\u001f\\]+$/,
  "Write it without a leading / and without ..",
);
const address = text(
  "a host name or IP address",
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/,
  "Write a name such as forge.local or an address such as 10.0.0.2, without a port.",
);
const url = text(
  "an http or https address",
  /^https?:\/\/(?![^/]*@)[^\s/?#]+[^\s]*$/,
  "Write it with http:// or https:// and without credentials.",
  { hidden: true },
);
const word = text("a text of one line", /^[^\u0000-\u001f\u007f]{1,1000}$/, "Write 1 to 1000 characters on one line.");
const prefix = text(
  "a prefix of keys",
  /^(?!\/)(?!.*\/\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[A-Za-z0-9._/-]*(?<!\/)$/,
  "Write letters, digits, dots, -, _ and /, with no / at its ends.",
);
const user = text(
  "a user name",
  /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/,
  "Write the short name that the system knows, for example makinja.",
);
const container = text(
  "a name of a container",
  /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  "Write 3 to 63 small letters, digits and -, with a letter or digit at both ends and no two - in a row.",
);
const bucket = text(
  "a name of a bucket",
  /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  "Write 3 to 63 small letters, digits, dots and -, with a letter or digit at both ends and no two dots in a row.",
);
const account = text("a name of a storage account", /^[a-z0-9]{3,24}$/, "Write 3 to 24 small letters and digits.");
const secret = text(
  "the name of a secret",
  /^(?:[A-Za-z_][A-Za-z0-9_]*|bw:\/\/\S+)$/,
  "Write the name of an environment variable or a bw:// reference, never the secret itself.",
  { hidden: true },
);

const HOST = object("A machine of the fleet.", {
  name: required(name("What the host is called here.")),
  role: required(
    choice("primary: databases are written here. standby: copies are kept current here.", ["primary", "standby"]),
  ),
  user: required(user("Who owns the databases; the daemon runs as this user.")),
  os: optional(choice("launchd or systemd. Default: darwin.", ["darwin", "linux"])),
  databases: required(absolutePath("The folder of the databases; on a standby, of the copies for readers.")),
  state: required(absolutePath("The agent's own folder: state, logs, working copies, rendered configs.")),
  addresses: required(list("In order of preference.", address("A host name or IP address."), 1)),
  port: optional(number("TCP port of the agent's HTTP. Default: 9470.", 1, 65_535)),
});

const PREFIX = optional(prefix("In front of every key. Default: none."));

const STORAGE = variant("Where replicas live.", "type", {
  azure: {
    account: required(account("The storage account.")),
    container: required(container("The blob container.")),
    endpoint: optional(url("Default: https://<account>.blob.core.windows.net.")),
    prefix: PREFIX,
  },
  s3: {
    bucket: required(bucket("The bucket.")),
    region: required(word("The region, for example eu-north-1.")),
    endpoint: optional(url("Of a service that is not Amazon's. Default: Amazon's.")),
    prefix: PREFIX,
  },
  file: { path: required(absolutePath("A folder.")), prefix: PREFIX },
});

const TIER = object("How much a database matters. The order of the tiers is the order of restore and promotion.", {
  name: required(name("For example p0-critical.")),
  retention: required(duration("How long snapshots are kept.", MINUTE)),
  "snapshot-interval": optional(
    duration("How often a snapshot is taken. Default: 24h, or the retention if shorter.", MINUTE),
  ),
  "sync-interval": optional(duration("How often changes are sent to storage. Default: 1s.", 100)),
  heartbeat: optional(durationOrNone("How often the heartbeat row is written; none: never. Default: none.", SECOND)),
  rpo: required(duration("Data lost at most, by the company's rule.", SECOND)),
  follow: optional(flag("Whether the standby keeps a copy current. Default: true.")),
});

const DATABASE = object("A database. What it does not say, its tier says.", {
  name: required(name("Unique; also the last part of its replica's path.")),
  path: optional(relativePath("Below the host's databases folder. Default: the name with .db.")),
  tier: required(name("One of tiers.")),
  "sync-interval": optional(duration("Instead of the tier's.", 100)),
  heartbeat: optional(durationOrNone("Instead of the tier's.", SECOND)),
  follow: optional(flag("Instead of the tier's.")),
  owner: optional(name("The service that writes it; one of services.")),
  size: optional(number("Bytes as planned; 0: planned as empty.", 0, Number.MAX_SAFE_INTEGER)),
  "size-class": optional(
    choice(
      "Where the bytes are not known: small is below 1 MiB, medium below 64 MiB. Default: by size, else unknown.",
      ["empty", "small", "medium", "large", "unknown"],
    ),
  ),
  optional: optional(flag("It may be missing on disk. Default: false.")),
});

const SERVICE = object("What writes databases. The order of the services is the order of their start.", {
  name: required(name("For example ledger.")),
  start: required(word("The command that starts it.")),
  stop: required(word("The command that stops it.")),
  health: optional(word("A command that exits 0 when the service answers. Default: none.")),
});

const SWITCHED = object("A name that clients use, switched at a failover.", {
  name: required(word("The name, for example svc:alai.")),
  kind: required(choice("How it is switched.", ["tailscale-service", "dns", "file"])),
  target: required(word("What it leads to: a port, a record, a file.")),
});

const CHANNEL = variant("Where alerts go.", "kind", {
  "slack-webhook": {
    name: required(name("What it is called here.")),
    secret: required(secret("Where the webhook's address is.")),
  },
  "slack-api": {
    name: required(name("What it is called here.")),
    secret: required(secret("Where the bot's token is.")),
    channel: required(word("The channel, for example #alerts.")),
    "direct-to": optional(word("Slack's id of who gets the direct message. Default: nobody.")),
  },
  webhook: {
    name: required(name("What it is called here.")),
    url: required(url("Where alerts are posted, as JSON.")),
    secret: optional(
      secret(
        "Where the key is with which alerts are signed (Alai-Signature: HMAC-SHA256 of time and body). Default: none, and they are not.",
      ),
    ),
  },
});

const WATCH = object("The heartbeat from outside.", {
  interval: optional(
    durationWithin(
      "Between two probes of one host, 5s to 60s. Default: 10s.",
      5 * SECOND,
      60 * SECOND,
      /^((?:[5-9]|[1-5]\d)(?:\.\d+)?s|60(?:\.0+)?s|1(?:\.0+)?m|0\.\d+m|\d{4,5}(?:\.\d+)?ms)$/,
    ),
  ),
  misses: optional(number("Misses in a row before the channels are told. Default: 2.", 1, 100)),
  "escalate-after": optional(duration("Down this long: a direct message. Default: 5m.", SECOND)),
  "dead-man": optional(
    object("Pinged as long as the watcher lives.", {
      url: required(url("For example https://hc-ping.com/….")),
      interval: optional(duration("Between two pings. Default: 1m.", SECOND)),
    }),
  ),
  channels: optional(list("All of them are told.", CHANNEL)),
});

const timeOfDay = text(
  "a time of day",
  /^(?:(?:[01]\d|2[0-3]):[0-5]\d|off)$/,
  "Write hours and minutes from 00:00 to 23:59, in UTC, or off.",
);

const DAILY = object("What the standby's agent does every day; where there is no standby, the primary's.", {
  prove: optional(timeOfDay("When every database is proven, as alai dr prove does; UTC, or off. Default: 03:00.")),
  drill: optional(timeOfDay("When alai dr drill --isolated is made; UTC, or off. Default: 04:00.")),
});

const ENDPOINT = object("A server of models.", {
  name: required(name("What it is called here.")),
  host: optional(name("One of hosts, where it runs on one. Default: none.")),
  url: required(url("Its address, without a path.")),
  kind: optional(choice("Which API it speaks. Default: ollama.", ["ollama", "openai", "anthropic"])),
  models: optional(list("What must be there.", word("A model's name."))),
  secret: optional(secret("Where its key is. Default: none.")),
});

const MODEL_TIER = object("What a program asks for instead of an address.", {
  name: required(name("For example 2cHQ.")),
  endpoint: required(name("One of endpoints.")),
  model: required(word("A model's name there.")),
  fallbacks: optional(
    list(
      "Tried in this order when the one before is down.",
      object("Another endpoint.", {
        endpoint: required(name("One of endpoints.")),
        model: required(word("A model's name there.")),
        "only-unreachable": optional(flag("Only when none of those before can be reached at all. Default: false.")),
      }),
    ),
  ),
});

const MODELS = object("Servers of models and what is asked of them.", {
  interval: optional(duration("Between two looks at one endpoint. Default: 15s.", SECOND)),
  timeout: optional(duration("How long one look may take. Default: 3s.", 100)),
  endpoints: required(list("Servers.", ENDPOINT, 1)),
  tiers: optional(list("What programs ask for.", MODEL_TIER)),
});

export const MANIFEST = object(
  "What is replicated, how, and what is done when a host is lost: `alai dr manifest check`.",
  {
    hosts: required(list("Machines; one of them is the primary.", HOST, 1)),
    storage: required(STORAGE),
    tiers: required(list("In the order of restore and promotion.", TIER, 1)),
    databases: required(list("Every database there is.", DATABASE)),
    services: optional(list("In the order of their start; stopped in the reverse.", SERVICE)),
    names: optional(list("Names that clients use.", SWITCHED)),
    watch: optional(WATCH),
    daily: optional(DAILY),
    models: optional(MODELS),
    rag: optional(
      object("LightRAG.", {
        url: required(url("Its address.")),
        expect: required(scalars("What its live configuration must say.")),
      }),
    ),
    runbook: optional(
      object("Where the runbook is published.", {
        url: required(url("BookStack's address.")),
        book: required(word("The book's name.")),
        secret: required(secret("Where TOKEN_ID:TOKEN_SECRET is.")),
      }),
    ),
  },
);

/** The manifest as it is written, checked key by key, not yet with defaults. */
export type Written = Of<typeof MANIFEST>;
