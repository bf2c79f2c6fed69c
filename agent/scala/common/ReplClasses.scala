package livius.agent

import java.io.File
import java.nio.file.{Files, Path}

import scala.util.control.NonFatal

import org.apache.spark.SparkConf

/** The directory that the Scala interpreter writes its classes to.
  *
  * Executors load the classes of user code from it, through the driver's file server. Spark learns the directory only when
  * the SparkContext is created, so it is named even when no Scala statement may ever come.
  *
  * @param home the directory of this driver, which somebody else cleans up after a crash
  */
final class ReplClasses(conf: SparkConf, home: File) {

  val directory: File = Files.createTempDirectory(parent.toPath, "livius-repl-").toFile

  conf.set("spark.repl.class.outputDir", directory.getAbsolutePath)
  Runtime.getRuntime.addShutdownHook(new Thread(new Runnable { def run(): Unit = delete() }, "livius-repl-classes"))

  private def parent: File =
    (conf.getOption("spark.repl.classdir").map(new File(_)).toSeq :+ home)
      .find(folder => folder.isDirectory && folder.canWrite)
      .getOrElse(new File(System.getProperty("java.io.tmpdir")))

  def delete(): Unit =
    try remove(directory.toPath)
    catch { case NonFatal(error) => Log.line(s"cannot delete $directory: $error") }

  private def remove(path: Path): Unit = {
    if (Files.isDirectory(path)) {
      val children = Files.newDirectoryStream(path)
      try children.forEach(child => remove(child)) finally children.close()
    }
    Files.deleteIfExists(path)
  }
}
