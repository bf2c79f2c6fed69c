package livius.agent

import java.io.File
import java.net.{URI, URL}
import java.nio.channels.Channels
import java.nio.file.{Files, StandardCopyOption}

import scala.util.control.NonFatal

import org.apache.hadoop.fs.Path
import org.apache.spark.SparkContext
import org.apache.spark.livius.DriverFiles

/** Jars that `sc.addJar` brought after the start. Spark gives them to executors only; user code expects to import from them. */
final class AddedJars(spark: SparkContext, directory: File) {

  // What was there at the start is on the class path already.
  private var known = spark.listJars().toSet

  /** Those that came since the last call, as local files. */
  def fresh(): Seq[URL] = {
    val added = spark.listJars().toSet -- known
    known ++= added
    added.toSeq.flatMap(local)
  }

  private def local(jar: String): Option[URL] =
    try {
      val target = new File(directory, s"added-jars/${known.size}-${new Path(jar).getName}")
      Files.createDirectories(target.getParentFile.toPath)
      copy(new URI(jar), target)
      Some(target.toURI.toURL)
    } catch {
      case NonFatal(error) =>
        Log.line(s"the jar $jar is not on the Scala interpreter's class path: $error")
        None
    }

  private def copy(from: URI, target: File): Unit =
    if (from.getScheme == "spark") {
      val in = Channels.newInputStream(DriverFiles.open(spark, from))
      try Files.copy(in, target.toPath, StandardCopyOption.REPLACE_EXISTING): Unit finally in.close()
    } else {
      val path = new Path(from)
      path.getFileSystem(spark.hadoopConfiguration).copyToLocalFile(path, new Path(target.toURI))
    }
}
