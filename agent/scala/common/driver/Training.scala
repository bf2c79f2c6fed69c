package livius.agent

import java.io.File

import org.apache.spark.SparkConf

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
    try Lessons.run(Lessons.all, settings, spark, new ReplClasses(conf, file.getParentFile), goesOn = () => true)
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

  private val Done = "livius-training done"
}
