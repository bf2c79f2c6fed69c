//! Text that Scala code prints on any thread is the statement's, unless the thread works for
//! something else.

use crate::client::{PATIENCE, Session, eventually};
use crate::{Case, Shared};

pub const CASES: &[Case] = &[
    ("output::of_pools_is_the_statements", pools),
    ("output::of_tasks_and_streams_is_not", others),
    ("output::survives_a_closed_stream", closed),
];

/// Runs code of which each line that it prints must come out, in any order.
fn prints(session: &Session, code: &str, count: usize) {
    let text = session.text("spark", code);
    let missing: Vec<usize> = (1..=count)
        .filter(|number| !text.lines().any(|line| line == format!("line {number}")))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {code}\n{text}");
}

fn pools(shared: &Shared) {
    let session = shared.session();
    // Threads of the shared pools that something else has started.
    let warm = "none = sc._jvm.java.lang.Thread\nfrom time import sleep\n\
        common, shared = sc._jvm.java.util.concurrent.ForkJoinPool.commonPool(), getattr(sc._jvm.scala.concurrent.ExecutionContext, 'global')()\n\
        for pool in [common, shared] * 8: pool.execute(none())";
    session.text("pyspark", warm);
    session.text("spark", "spark.range(0, 1000, 1, 8).repartition(4).count");
    session.text(
        "spark",
        "import java.util.concurrent.{CompletableFuture, Executors, ForkJoinPool, TimeUnit}\nimport scala.concurrent._\nimport scala.concurrent.duration._\n\
         val numbers = java.util.Arrays.asList(1, 2, 3, 4, 5, 6, 7, 8)\nval own = Executors.newFixedThreadPool(2)\nval timer = Executors.newScheduledThreadPool(1)\n\
         val ready = new java.util.concurrent.CountDownLatch(1)\nval go = new java.util.concurrent.SynchronousQueue[Int]\n\
         val reader = new Thread(() => while (true) { println(\"line \" + go.take()); ready.countDown() })\nreader.setDaemon(true)\nreader.start()\n\
         own.submit(new Runnable { def run(): Unit = () }).get\ntimer.submit(new Runnable { def run(): Unit = () }).get",
    );
    for code in [
        "numbers.parallelStream.forEach(n => println(s\"line $n\"))",
        "numbers.parallelStream.forEach(n => System.out.println(s\"line $n\"))",
        "locally { implicit val global = ExecutionContext.global; Await.result(Future.sequence((1 to 8).map(n => Future(println(s\"line $n\")))), 1.minute); () }",
        "CompletableFuture.allOf((1 to 8).map(n => CompletableFuture.runAsync(() => println(s\"line $n\"))): _*).get; ()",
        "(1 to 8).map(n => own.submit(new Runnable { def run(): Unit = println(s\"line $n\") })).foreach(_.get)",
        "(1 to 8).map(n => timer.schedule(new Runnable { def run(): Unit = println(s\"line $n\") }, 1, TimeUnit.MILLISECONDS)).foreach(_.get)",
        "(1 to 8).map(n => ForkJoinPool.commonPool.submit(new Runnable { def run(): Unit = println(s\"line $n\") })).foreach(_.get)",
        "(1 to 8).map { n => val t = new Thread(() => println(s\"line $n\")); t.start(); t }.foreach(_.join())",
    ] {
        prints(session, code, 8);
    }
    // A thread of an earlier statement.
    prints(session, "go.put(1); ready.await()", 1);
}

fn others(shared: &Shared) {
    let session = shared.session();
    let code = "sc.parallelize(1 to 3, 2).foreach(n => println(s\"from a task: $n\"))\n\
        sc.parallelize(1 to 3, 2).foreachPartition { part => val t = new Thread(() => println(\"from a task's thread\")); t.start(); t.join() }\n\
        println(\"mine\")";
    let text = session.text("spark", code);
    assert!(
        text.contains("mine") && !text.contains("from a task: "),
        "{text}"
    );
    let stream = "val batches = new java.util.concurrent.CountDownLatch(3)\n\
        def show(data: org.apache.spark.sql.DataFrame, id: Long): Unit = { println(s\"from a stream: $id\"); batches.countDown() }\n\
        val query = spark.readStream.format(\"rate\").option(\"rowsPerSecond\", 10).load.writeStream.foreachBatch(show _).start()";
    session.text("spark", stream);
    let text = session.text("spark", "batches.await(); println(\"mine\"); query.stop()");
    assert!(
        text.contains("mine") && !text.contains("from a stream"),
        "{text}"
    );
    eventually("the log has the lines", PATIENCE, || {
        let log = session.log();
        (log.contains("from a stream: 0") && log.contains("from a task: 1")).then_some(())
    });
}

fn closed(shared: &Shared) {
    let session = shared.session();
    session.text(
        "spark",
        "println(\"before\"); System.out.close(); Console.out.close()",
    );
    assert_eq!(session.text("spark", "println(\"after\")"), "after\n");
}
