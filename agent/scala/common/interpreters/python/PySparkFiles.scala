package livius.agent

import java.io.File
import java.nio.file.{Files, Path}

import org.apache.spark.SparkContext

/** The places of PySpark and py4j for a Python child. They belong to this JVM's Spark. */
object PySparkFiles {

  /** Path entries, most important first. `links` is a folder for entries that have to be made. */
  def path(links: Path): Seq[String] = sparkHome.toSeq.flatMap(home => pySpark(home, links) ++ py4j(home)) ++ archives

  /** The installation: the one that the environment names, or else the folder above Spark's own
    * jar. The environment may come from the machine that submitted the driver, and name a folder
    * that does not exist here.
    */
  def sparkHome: Option[File] = sys.env.get("SPARK_HOME").filter(_.nonEmpty).map(new File(_)).filter(_.isDirectory).orElse {
    val jar = Option(classOf[SparkContext].getProtectionDomain.getCodeSource).map(source => new File(source.getLocation.toURI))
    jar.flatMap(file => Option(file.getParentFile)).flatMap(jars => Option(jars.getParentFile))
  }

  /** A folder is better than the zip next to it: Python keeps compiled files only in a folder. */
  private def pySpark(home: File, links: Path): Seq[String] = {
    val folder = new File(home, "python")
    val zip = new File(folder, "lib/pyspark.zip")
    if (new File(folder, "pyspark/__init__.py").isFile) Seq(folder.getPath)
    else if (new File(home, "__init__.py").isFile) Seq(linked(home, links))
    else Seq(zip).filter(_.isFile).map(_.getPath)
  }

  /** Installed with pip, the installation is the Python package itself. Its folder holds other
    * packages, perhaps another Python's: a link keeps those out.
    */
  private def linked(home: File, links: Path): String = {
    Files.createSymbolicLink(Files.createDirectories(links).resolve("pyspark"), home.getCanonicalFile.toPath)
    links.toString
  }

  private def py4j(home: File): Seq[String] = {
    val found = new File(home, "python/lib").listFiles((_: File, name: String) => name.matches("py4j-.*\\.zip"))
    Option(found).toSeq.flatten.map(_.getPath)
  }

  /** On YARN the containers have no installation, and may have been given the archives instead. */
  private def archives: Seq[String] =
    sys.env.get("PYSPARK_ARCHIVES_PATH").toSeq.flatMap(_.split(',')).map(_.trim).filter(_.nonEmpty)
}
