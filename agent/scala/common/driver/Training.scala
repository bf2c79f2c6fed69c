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
    for ((lesson, number) <- Lessons.all.zipWithIndex) Attempt {
      Documents.of(number, interpreters.ready(lesson.kind).execute(number, lesson.code))
    } match {
      case Failure(error) => Log.line(s"the training has no ${lesson.kind}", error)
      case _ => ()
    }
    interpreters.close()
  }

  private val Done = "livius-training done"
}
