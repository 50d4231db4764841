/** Units that start a watcher at boot, and again whenever it ends. Neither has a secret in it. */

/** What is started. */
export interface Service {
  /** What launchd calls it. */
  readonly label: string;
  /** What systemd calls it. */
  readonly unit: string;
  readonly description: string;
  /** Behind `alai`, without the manifest. */
  readonly words: readonly string[];
  /** What makes its unit, to be typed behind `alai`. */
  readonly maker: string;
  /** Of a file with its secrets and of its log. */
  readonly short: string;
}

export const WATCH: Service = {
  label: "com.alai.watch",
  unit: "alai-watch.service",
  description: "alai watch: tells people when a host is down",
  words: ["watch"],
  maker: "watch render",
  short: "watch",
};

export const MODELS_WATCH: Service = {
  label: "com.alai.models-watch",
  unit: "alai-models-watch.service",
  description: "alai models watch: which models answer",
  words: ["models", "watch"],
  maker: "models watch --unit",
  short: "models-watch",
};

export interface UnitWords {
  /** The manifest's absolute path on the machine that watches. */
  readonly manifest: string;
  /** Who it runs as: whose data folder has its state, and whose sealed secrets it may read. */
  readonly user: string;
  /** The words that start alai there. */
  readonly program: readonly string[];
}

/** A systemd unit. Environment variables that the manifest names come from a file that only root reads. */
export function renderSystemd(service: Service, { manifest, user, program }: UnitWords): string {
  const { unit, description, words, maker, short } = service;
  return `# Made by: alai ${maker}
# Install: sudo install -m 644 ${unit} /etc/systemd/system/
#          sudo systemctl daemon-reload && sudo systemctl enable --now ${unit}

[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=simple
User=${user}
ExecStart=${[...program, ...words, "--manifest", manifest].map(systemdWord).join(" ")}
Environment=PATH=/usr/local/bin:/usr/bin:/bin:/home/linuxbrew/.linuxbrew/bin
# NAME=value lines, mode 600, owner root; the file may be missing.
EnvironmentFile=-/etc/alai/${short}.env
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`;
}

/** A launchd daemon: agents of launchd need somebody to sign in first. */
export function renderLaunchd(service: Service, { manifest, user, program }: UnitWords): string {
  const { label, maker, short } = service;
  const words = [...program, ...service.words, "--manifest", manifest];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!--
  Made by: alai ${maker.replaceAll("--", "- -")}
  Install: sudo install -m 644 -o root -g wheel ${label}.plist /Library/LaunchDaemons/
           sudo launchctl bootstrap system /Library/LaunchDaemons/${label}.plist
  launchd has no file of environment variables that only root reads: seal the secrets that the manifest names on this machine.
  After a boot the login keychain opens when its user signs in; until then only what is sealed with a key in a file can be read,
  and the service is started again and again.
-->
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${label}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${xml(word)}</string>\n`).join("")}  </array>
  <key>UserName</key>
  <string>${xml(user)}</string>
  <key>EnvironmentVariables</key>
  <dict>
    <key>HOME</key>
    <string>/Users/${xml(user)}</string>
    <key>PATH</key>
    <string>/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>StandardOutPath</key>
  <string>/dev/null</string>
  <key>StandardErrorPath</key>
  <string>/Users/${xml(user)}/Library/Logs/alai-${short}.log</string>
</dict>
</plist>
`;
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** `%` and `$` mean something to systemd, also between quotes. */
function systemdWord(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[A-Za-z0-9_./:@%$-]+$/.test(plain) ? plain : `"${plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
