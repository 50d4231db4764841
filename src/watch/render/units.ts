/** Units that start the watcher at boot, and again whenever it ends. Neither has a secret in it. */

const LABEL = "com.alai.watch";
const UNIT = "alai-watch.service";

export interface UnitWords {
  /** The manifest's absolute path on the machine that watches. */
  readonly manifest: string;
  /** Who it runs as: whose data folder has its state, and whose sealed secrets it may read. */
  readonly user: string;
}

/** A systemd unit. Environment variables that the manifest names come from a file that only root reads. */
export function renderSystemd({ manifest, user }: UnitWords): string {
  return `# Made by: alai watch render --systemd
# Install: sudo install -m 644 ${UNIT} /etc/systemd/system/
#          sudo systemctl daemon-reload && sudo systemctl enable --now ${UNIT}

[Unit]
Description=alai watch: tells people when a host is down
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=simple
User=${user}
ExecStart=/usr/bin/env alai watch --manifest ${systemdWord(manifest)}
Environment=PATH=/usr/local/bin:/usr/bin:/bin:/home/linuxbrew/.linuxbrew/bin
# NAME=value lines, mode 600, owner root; the file may be missing.
EnvironmentFile=-/etc/alai/watch.env
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`;
}

/** A launchd daemon: agents of launchd need somebody to sign in first. */
export function renderLaunchd({ manifest, user }: UnitWords): string {
  const words = ["/usr/bin/env", "alai", "watch", "--manifest", manifest];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!--
  Made by: alai watch render (launchd)
  Install: sudo install -m 644 -o root -g wheel ${LABEL}.plist /Library/LaunchDaemons/
           sudo launchctl bootstrap system /Library/LaunchDaemons/${LABEL}.plist
  launchd has no file of environment variables that only root reads: name secrets as bw:// references, sealed on this machine.
-->
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
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
  <key>StandardErrorPath</key>
  <string>/Users/${xml(user)}/Library/Logs/alai-watch.log</string>
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
