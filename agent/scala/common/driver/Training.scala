package livius.agent

import java.io.File

import scala.util.Failure

import org.apache.spark.SparkConf
import org.apache.spark.sql.SparkSession

/** Does what a new session does, once and without a server. The JVM of this run writes the classes
  * that it has loaded into the archive that drivers start from. Its one argument is a launch
  * document.
  */
object Training {

  def main(arguments: Array[String]): Unit = {
    haltWithParent()
    System.setProperty("scala.color", "false")
    StandardOut.install()
    val file = new File(arguments(0)).getAbsoluteFile
    val settings = Settings.from(LaunchDocument.read(file))
    val conf = new SparkConf()
    val spark = SparkStart.session(conf)
    try train(settings, spark, new ReplClasses(conf, file.getParentFile))
    finally spark.stop()
    println(Done)
    // Threads of interpreters may still live.
    System.exit(0)
  }

  // Standard input ends with the process that wants the archive.
  private def haltWithParent(): Unit = Threads.daemon("parent") {
    while (System.in.read() >= 0) {}
    Runtime.getRuntime.halt(1)
  }

  // A kind that this machine lacks, such as Python, is left out.
  private def train(settings: Settings, spark: SparkSession, classes: ReplClasses): Unit = {
    val interpreters = new Interpreters(settings, () => spark, classes, new JobGroups(None))
    for (((kind, code), number) <- Lessons.zipWithIndex) Attempt {
      Documents.of(number, interpreters.ready(kind).execute(number, code))
    } match {
      case Failure(error) => Log.line(s"the training has no $kind", error)
      case _ => ()
    }
    interpreters.close()
  }

  private val Lessons = Seq(
    "sql" -> "SELECT id % 3 AS k, count(*) AS n, sum(id) AS s FROM range(100) GROUP BY id % 3 ORDER BY k",
    "pyspark" -> "spark.range(10).count()",
    "pyspark" -> "spark.createDataFrame([(1, 'a'), (2, 'b')], ['n', 't']).groupBy('t').count().show()",
    "pyspark" -> "sc.parallelize(range(10), 2).map(lambda n: n + 1).sum()",
    "spark" -> "spark.range(10).count()",
    "spark" -> "sc.parallelize(1 to 10, 2).map(_ + 1).reduce(_ + _)",
    "spark" -> "1 / 0")

  private val Done = "livius-training done"
}
