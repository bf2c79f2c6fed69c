package livius.agent

import java.io.File

import scala.util.Failure

import org.apache.hadoop.fs.FileSystem
import org.apache.spark.SparkConf
import org.apache.spark.deploy.livius.QuietLogging
import org.apache.spark.sql.SparkSession

/** Makes the JVM of a primed driver warm. It creates a SparkContext that serves no session, runs the
  * lessons of the driver's kind on it, and stops it.
  *
  * Spark keeps a few settings of the first SparkContext for as long as the JVM lives. They are the
  * driver's own here, and a session that wants others gets another driver: `domain::pool` names them.
  */
final class Priming(settings: Settings, home: File) {

  import Priming.{ForGood, Ui}

  private val own = new SparkConf()

  /** Works until the JVM is warm or a session wants the driver. For the main thread. */
  def run(isWanted: () => Boolean): Unit = if (!isWanted()) {
    // The log will belong to the session. Spark must not write to it before.
    Attempt(QuietLogging.during(warmUp(isWanted))) match {
      case Failure(error) => Log.line("the driver is not warm in all parts", error)
      case _ => ()
    }
  }

  private def warmUp(isWanted: () => Boolean): Unit = {
    val loader = Thread.currentThread.getContextClassLoader
    val conf = harmless
    val classes = new ReplClasses(conf, home)
    try {
      val spark = SparkStart.session(conf)
      try Lessons.run(Lessons.of(settings.kind), settings, spark, classes, goesOn = () => !isWanted())
      finally forget(spark)
    } finally {
      classes.delete()
      Thread.currentThread.setContextClassLoader(loader)
    }
    // The garbage of the lessons would stay in memory for as long as the driver waits.
    if (!isWanted()) System.gc()
  }

  /** The driver's settings that stay for good, and otherwise a configuration that reaches nothing
    * outside of this machine and runs no code of users.
    */
  private def harmless: SparkConf = {
    val conf = new SparkConf(false)
      .setMaster("local[*]")
      .setAppName("livius-warming-up")
      .set("spark.authenticate", "true")
      .set("spark.driver.bindAddress", "127.0.0.1")
      .set("spark.driver.host", "127.0.0.1")
      .set("spark.hadoop.fs.defaultFS", "file:///")
      .set("spark.sql.catalogImplementation", "in-memory")
      // It would read with this configuration for good.
      .set("spark.sql.defaultUrlStreamHandlerFactory.enabled", "false")
      .set("spark.sql.warehouse.dir", new File(System.getProperty("java.io.tmpdir"), "warehouse").toURI.toString)
      .set(Ui, own.get(Ui, "true"))
      .set("spark.ui.port", "0")
    own.getAll.filter { case (key, _) => ForGood.exists(key.startsWith) }.foreach { case (key, value) => conf.set(key, value) }
    conf
  }

  private def forget(spark: SparkSession): Unit = {
    spark.stop()
    SparkSession.clearActiveSession()
    SparkSession.clearDefaultSession()
    // Each keeps the configuration that it was made with.
    FileSystem.closeAll()
  }
}

private object Priming {

  private val Ui = "spark.ui.enabled"

  /** The beginnings of the settings that Spark reads once for each JVM, when it makes a SparkContext or
    * runs a job. `domain::pool` has them as fixed keys.
    */
  private val ForGood = Seq(
    "spark.local.dir",
    "spark.network.",
    "spark.sql.broadcastExchange.maxThreadThreshold",
    "spark.sql.codegen.cache.maxEntries",
    "spark.sql.resultQueryStage.maxThreadThreshold",
    "spark.sql.shuffleExchange.maxThreadThreshold",
    "spark.sql.subquery.maxThreadThreshold")
}
