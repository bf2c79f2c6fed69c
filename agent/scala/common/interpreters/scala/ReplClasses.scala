package livius.agent

import java.io.File
import java.nio.file.Files

import scala.util.control.NonFatal

import org.apache.spark.SparkConf

/** The places of the classes of Scala statements: for executors a directory, through the
  * driver's file server, and for the driver's own threads a class loader.
  *
  * Spark learns both only when the SparkContext is created, so they exist even if no Scala
  * statement ever comes.
  *
  * @param home the directory of this driver, which the server cleans up after a crash
  */
final class ReplClasses(conf: SparkConf, home: File) {

  val directory: File = Files.createTempDirectory(parent.toPath, "livius-repl-").toFile

  val jars = new AddedJars(directory, Thread.currentThread.getContextClassLoader)

  val loader = new ReplClassLoader(jars.loader)

  conf.set(OutputDir, directory.getAbsolutePath)
  // A SparkContext that the user's code makes later reads it from here.
  System.setProperty(OutputDir, directory.getAbsolutePath)
  Thread.currentThread.setContextClassLoader(loader)
  Runtime.getRuntime.addShutdownHook(new Thread(new Runnable { def run(): Unit = delete() }, "livius-repl-classes"))

  private def OutputDir = "spark.repl.class.outputDir"

  private def parent: File =
    (conf.getOption("spark.repl.classdir").map(new File(_)).toSeq :+ home)
      .find(folder => folder.isDirectory && folder.canWrite)
      .getOrElse(new File(System.getProperty("java.io.tmpdir")))

  def delete(): Unit =
    try Folders.delete(directory.toPath)
    catch { case NonFatal(error) => Log.line(s"cannot delete $directory: $error") }
}
