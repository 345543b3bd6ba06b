//! The generator beside `wrk` (and `oha`, if it is there), against an nginx of this machine's own: `cargo bench --package load-test`.
//!
//! It wants `nginx` and `wrk` on the PATH, and a machine that does nothing else. It prints a table: CPU per request, whether a rate is held,
//! what a stalled server looks like beside the computed truth, and whether counts are the server's own. The last table with its machine and
//! date stands in docs/load-test.md.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cutover::plan::{HttpVersion, LoadTarget};
use cutover::probe::native_roots;
use load_test::budget::Budget;
use load_test::client::Client;
use load_test::clock::cpu_time;
use load_test::request::{Prepared, requests_of};
use load_test::schedule::{Arrivals, Mix};
use load_test::send::{Load, Pace, Sent, Users};

type Outcome<T> = Result<T, Box<dyn Error>>;

const PORT: u16 = 18_480;
const USERS: u32 = 50;
const SECONDS: u64 = 5;
/// So often each speed is measured; generators take turns, and the median counts.
const ROUNDS: usize = 5;
const STALL: f64 = 2.0;
const STALLED_RUN: f64 = 20.0;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let nginx = Nginx::start()?;
    println!("| what | measured | bound |\n|---|---|---|");
    let most = runtime.block_on(speeds(&nginx))?;
    runtime.block_on(rates(&nginx, most))?;
    runtime.block_on(stall(&nginx))?;
    Ok(())
}

/// CPU per request at full speed, with 50 connections; answers how many a second ours made.
async fn speeds(nginx: &Nginx) -> Outcome<f64> {
    let (mut wrk, mut own, mut oha) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        wrk.push(of_tool("wrk", &["-t1", "-c50", &format!("-d{SECONDS}s")], |text| field(text, "requests in"))?);
        let sent = send(users(), 10).await?;
        own.push((sent.cpu_us / sent.count as f64, sent.count as f64 / SECONDS as f64));
        let arguments = ["-c50", "-z5s", "--no-tui", "--output-format", "json"];
        oha.extend(
            of_tool("oha", &arguments, |text| field(text, "requestsPerSec").map(|rate| rate * SECONDS as f64)).ok(),
        );
    }
    let (wrk, own, oha) = (median(wrk), median(own), median(oha));
    let ratio = |(us, rate): (f64, f64)| format!("{us:.1} us, {:.2} x wrk, {rate:.0}/s", us / wrk.0);
    println!("| CPU per request at full speed, 50 connections: wrk | {} | |", ratio(wrk));
    println!("| the same: load-test | {} | 1.3 x |", ratio(own));
    println!("| the same: oha | {} | |", if oha.0 > 0.0 { ratio(oha) } else { "not installed".to_owned() });
    let counted = nginx.counted()?;
    println!("| requests of all of these in the server's access log | {counted} | |");
    Ok(own.1)
}

/// Whether rates are held, up to 70 % of what was the most, and counted as the server counts them.
async fn rates(nginx: &Nginx, most: f64) -> Outcome<()> {
    for percent in [10.0, 30.0, 50.0, 70.0] {
        let rate = (most * percent / 100.0).round();
        let before = nginx.counted()?;
        let sent = send(Pace::Rate(arrivals(rate, SECONDS as f64)), 10).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let seen = nginx.counted()? - before;
        let results = &sent.sent.results;
        let achieved = results.sent as f64 / SECONDS as f64;
        println!(
            "| {percent} % of the most: {rate:.0}/s offered | {achieved:.0}/s sent ({:+.2} %), lag p99 {:.2} ms, p50 {:.2} ms, CPU {:.0} %, \
             {:.1} us a request; {} sent, {seen} in the access log | 1 %, equal |",
            100.0 * (achieved / rate - 1.0),
            results.lag.quantile_ms(0.99).unwrap_or_default(),
            results.from_schedule.quantile_ms(0.5).unwrap_or_default(),
            sent.sent.cpu_percent,
            sent.cpu_us / sent.count as f64,
            results.sent,
        );
    }
    Ok(())
}

/// The share slower than y is (s - y) / T, of a stall of s in a run of T.
async fn stall(nginx: &Nginx) -> Outcome<()> {
    let worker = nginx.worker()?;
    let stalled = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(5));
        let signal = |name: &str| Command::new("kill").args([name, &worker]).status();
        signal("-STOP")?;
        std::thread::sleep(Duration::from_secs_f64(STALL));
        signal("-CONT")
    });
    let sent = send(Pace::Rate(arrivals(400.0, STALLED_RUN)), 30).await?;
    stalled.await??;
    for quantile in [0.95, 0.99] {
        let truth = 1000.0 * (STALL - (1.0 - quantile) * STALLED_RUN);
        let measured = sent.sent.results.from_schedule.quantile_ms(quantile).unwrap_or_default();
        println!(
            "| server stalled for 2 s in 20 s at 400/s: p{} | {measured:.0} ms, computed {truth:.0} ms ({:+.1} %) | 5 % |",
            100.0 * quantile,
            100.0 * (measured / truth - 1.0)
        );
    }
    Ok(())
}

struct Measured {
    sent: Sent,
    count: u64,
    cpu_us: f64,
}

async fn send(pace: Pace, timeout_seconds: u64) -> Outcome<Measured> {
    let target: LoadTarget = serde_json::from_value(serde_json::json!({ "url": format!("http://127.0.0.1:{PORT}/") }))?;
    let client =
        Client::new(&target, HttpVersion::Http1, &cutover::probe::Reach::read(r#"["127.0.0.0/8"]"#)?, native_roots)?;
    let asked = requests_of(&[], &target)?;
    let requests = Prepared::all(&asked, &target, "bench", &BTreeMap::new())?;
    let (start, timeout) = (Instant::now() + Duration::from_millis(100), Duration::from_secs(timeout_seconds));
    let mix = Mix::new(0, &asked);
    let budget = Budget::new(None, 0.01);
    let load = Load { client: &client, requests: &requests, mix, pace, timeout, start, start_second: 0, budget };
    let before = cpu_time();
    let sent = load.send().await?;
    Ok(Measured { count: sent.results.sent, cpu_us: (cpu_time() - before).as_secs_f64() * 1e6, sent })
}

fn users() -> Pace {
    let arrivals = arrivals(1.0, SECONDS as f64);
    Pace::Users(Users { count: USERS, most_rate_per_second: f64::INFINITY, arrivals })
}

fn arrivals(rate_per_second: f64, seconds: f64) -> Arrivals {
    Arrivals { rate_per_second, warm_up: Duration::ZERO, end: Duration::from_secs_f64(seconds), slice: 0, slices: 1 }
}

/// CPU per request, in microseconds, and requests a second, of another generator.
fn of_tool(tool: &str, arguments: &[&str], count: impl Fn(&str) -> Option<f64>) -> Outcome<(f64, f64)> {
    let before = children_cpu_seconds()?;
    let output = Command::new(tool).args(arguments).arg(format!("http://127.0.0.1:{PORT}/")).output()?;
    let cpu = children_cpu_seconds()? - before;
    let text = String::from_utf8_lossy(&output.stdout);
    let count = count(&text).ok_or_else(|| format!("{tool} said nothing of its requests: {text}"))?;
    Ok((1e6 * cpu / count, count / SECONDS as f64))
}

/// The number before (wrk) or behind (oha) these words.
fn field(text: &str, words: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains(words))?;
    let number = |part: &str| part.trim_matches(|c: char| !c.is_ascii_digit()).parse().ok();
    line.split_whitespace().find_map(number)
}

/// Of children that have ended: the 16th and 17th field of /proc/self/stat, in hundredths of a second.
fn children_cpu_seconds() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    Ok((fields[13].parse::<f64>()? + fields[14].parse::<f64>()?) / 100.0)
}

/// By CPU per request.
fn median(mut measured: Vec<(f64, f64)>) -> (f64, f64) {
    measured.sort_by(|one, other| one.0.total_cmp(&other.0));
    measured.get(measured.len() / 2).copied().unwrap_or_default()
}

/// An nginx with one worker and an access log, for as long as this lives.
struct Nginx {
    master: Child,
    folder: PathBuf,
}

impl Nginx {
    fn start() -> Outcome<Self> {
        let folder = std::env::temp_dir().join(format!("cutover-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("nginx.conf"), configuration(&folder))?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&folder).arg("-c").arg(folder.join("nginx.conf")).stderr(Stdio::null());
        let nginx = Self { master: command.spawn()?, folder };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", PORT)).is_err() {
            if begun.elapsed() > Duration::from_secs(5) {
                return Err("nginx does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(nginx)
    }

    /// The lines of the access log.
    fn counted(&self) -> Outcome<usize> {
        Ok(fs::read(self.folder.join("access.log"))?.iter().filter(|byte| **byte == b'\n').count())
    }

    fn worker(&self) -> Outcome<String> {
        let children = format!("/proc/{0}/task/{0}/children", self.master.id());
        Ok(fs::read_to_string(children)?.split_whitespace().next().ok_or("nginx has no worker")?.to_owned())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // SIGTERM, so that the master ends its worker.
        let _ = Command::new("kill").arg(self.master.id().to_string()).status();
        let _ = self.master.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
         events {{ worker_connections 4096; }}
         http {{
           client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
           uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
           log_format one 'x'; access_log {folder}/access.log one;
           keepalive_requests 1000000000; keepalive_timeout 75s;
           server {{ listen 127.0.0.1:{PORT} backlog=4096; location / {{ return 200 'ok'; }} }}
         }}"
    )
}
