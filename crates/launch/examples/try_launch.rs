//! Temporary.
use std::sync::Arc;
use camino::{Utf8Path, Utf8PathBuf};
use launch::*;
use domain::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "supervise" { supervise(Utf8Path::new(&args[2]), &SystemClock).unwrap(); return; }
    let environment = Environment::new(std::env::vars());
    let runtimes = Utf8PathBuf::from(std::env::var("RUNTIMES").unwrap_or("/root/scratch/launch/runtimes".into()));
    let search = Search { environment, runtimes, spark_home: None, java_home: None };
    let t = std::time::Instant::now();
    match args[1].as_str() {
        "find" => println!("{:#?}", find(&search).map(|f| (f.spark.home, f.spark.version, f.java, f.warnings))),
        "setup" => {
            let order = SetupOrder { search, spark_version: args.get(2).cloned(), check_again: false };
            match setup(&order, &|p| eprintln!("{:?} {p:?}", t.elapsed())) {
                Ok(f) => println!("ok {:?} {:?}", f.spark.version, f.java),
                Err(e) => { let mut m = e.to_string(); let mut s: Option<&dyn std::error::Error> = std::error::Error::source(&e); while let Some(x) = s { m += &format!(": {x}"); s = x.source(); } println!("FAILED {m}\nhint {}", e.hint()) }
            }
        }
        "doctor" => println!("{}", serde_json::to_string_pretty(&doctor(&search, true)).unwrap()),
        "launch" => {
            let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            rt.block_on(async {
                let exe = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
                let l = LocalLauncher::new(LocalConfig { search, supervisor: vec![exe, "supervise".into()] }, Arc::new(SystemClock));
                println!("{:?} prepare {:?}", t.elapsed(), l.prepare().await.map(|f| f.spark.version));
                let dir = tempfile::tempdir_in("/root/scratch/launch").unwrap().keep();
                let conf = args[2..].iter().map(|a| { let (k, v) = a.split_once('=').unwrap(); (k.to_owned(), v.to_owned()) }).collect();
                let order = DriverOrder { id: DriverId::parse("s-0-aa").unwrap(), dir: Utf8PathBuf::from_path_buf(dir).unwrap(), kind: Kind::PySpark, conf, proxy_user: None,
                    token: "x".into(), servers: vec!["ws://127.0.0.1:1/api/v1/agent".into()], link_grace: std::time::Duration::from_secs(5), sql_max_rows: 10 };
                println!("{}", order.dir);
                let d = l.launch(order).await.unwrap();
                println!("{:?} started {:?}", t.elapsed(), d.record());
                println!("{:?}", tokio::time::timeout(std::time::Duration::from_secs(25), d.exited()).await);
                println!("{:?} {:?}", t.elapsed(), d.terminate(std::time::Duration::from_secs(5)).await);
            });
        }
        _ => {}
    }
}
