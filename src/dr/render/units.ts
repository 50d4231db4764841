import { posix } from "node:path";
import { OWN_LOG } from "../agent/own-log.ts";
import type { Host, Manifest } from "../manifest/model.ts";
import { header, headerLines } from "./header.ts";
import type { Unit } from "./rendered.ts";

/** What launchd and systemd call the agent. */
export const LAUNCHD_LABEL = "com.alai.host-agent";
export const SYSTEMD_UNIT = "alai-host-agent.service";

/** A database has three files open, and launchd gives a process 256. */
const OPEN_FILES = 8192;

const PATHS = {
  darwin: "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
  linux: "/usr/local/bin:/usr/bin:/bin:/home/linuxbrew/.linuxbrew/bin",
} as const;

/**
 * The unit that starts the host's agent at boot: a launchd daemon, because agents of launchd need somebody to sign in first, or a
 * systemd unit. It starts the agent alone, which starts Litestream when this host may write.
 * @param manifestAt the manifest's path on that host. @param program the words that start alai there: absolute, because the PATH of
 * a daemon has no folder of a person's.
 */
export function renderUnit(
  manifest: Manifest,
  host: Host,
  { manifestAt, program }: { readonly manifestAt: string; readonly program: readonly string[] },
): Unit {
  const words = [...program, "host", "agent", "--host", host.name, "--manifest", manifestAt];
  return host.os === "darwin"
    ? { name: `${LAUNCHD_LABEL}.plist`, kind: "launchd", text: launchd(manifest, host, words) }
    : { name: SYSTEMD_UNIT, kind: "systemd", text: systemd(manifest, host, words) };
}

function launchd(manifest: Manifest, host: Host, words: readonly string[]): string {
  const comment = headerLines(manifest, host, null).map((line) => `  ${xml(line.replaceAll("--", "- -"))}\n`);
  const log = posix.join(host.state, OWN_LOG);
  return `<?xml version="1.0" encoding="UTF-8"?>
<!--
${comment.join("")}  Install: sudo install -m 644 -o root -g wheel ${LAUNCHD_LABEL}.plist /Library/LaunchDaemons/
           sudo launchctl bootstrap system /Library/LaunchDaemons/${LAUNCHD_LABEL}.plist
-->
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LAUNCHD_LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${xml(word)}</string>\n`).join("")}  </array>
  <key>UserName</key>
  <string>${xml(host.user)}</string>
  <key>EnvironmentVariables</key>
  <dict>
    <key>HOME</key>
    <string>/Users/${xml(host.user)}</string>
    <key>PATH</key>
    <string>${PATHS.darwin}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>10</integer>
  <key>ExitTimeOut</key>
  <integer>60</integer>
  <key>ProcessType</key>
  <string>Standard</string>
  <key>SoftResourceLimits</key>
  <dict>
    <key>NumberOfFiles</key>
    <integer>${OPEN_FILES}</integer>
  </dict>
  <key>StandardOutPath</key>
  <string>${xml(log)}</string>
  <key>StandardErrorPath</key>
  <string>${xml(log)}</string>
</dict>
</plist>
`;
}

function systemd(manifest: Manifest, host: Host, words: readonly string[]): string {
  return `${header("#", manifest, host, null)}# Install: sudo install -m 644 ${SYSTEMD_UNIT} /etc/systemd/system/
#          sudo systemctl daemon-reload && sudo systemctl enable --now ${SYSTEMD_UNIT}

[Unit]
Description=alai host agent: replication, standby copies and watchdogs of ${host.name}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=simple
User=${host.user}
ExecStart=${words.map(systemdWord).join(" ")}
Environment=PATH=${PATHS.linux}
# glibc would keep memory for as many threads as there could be.
Environment=MALLOC_ARENA_MAX=2
# Secrets, readable by root only; the file may be missing.
EnvironmentFile=-/etc/alai/host-agent.env
Restart=always
RestartSec=5
TimeoutStopSec=60
# The agent ends what it started itself.
KillMode=mixed
LimitNOFILE=${OPEN_FILES}

[Install]
WantedBy=multi-user.target
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
