package livius.agent

import java.io.{File, IOException}
import java.net.{URI, URL, URLClassLoader}
import java.nio.file.{Files, Path, Paths}
import java.util.zip.ZipFile

import scala.util.control.NonFatal

import org.apache.spark.SparkContext

/** Jars added after the start, as resources of the session or by `sc.addJar` in its code. Spark
  * gives them to executors only. This class adds them to the driver's own class path, for
  * statements, jobs and Spark's threads.
  *
  * @param directory where links and copies may lie
  */
final class AddedJars(directory: File, parent: ClassLoader) {

  import AddedJars._

  private final class Loader extends URLClassLoader(Array.empty[URL], parent) {
    def add(jar: URL): Unit = addURL(jar)
  }

  private val classes = new Loader
  private var spark: Option[SparkContext] = None
  private var known = Set.empty[String]
  private var count = 0

  def loader: ClassLoader = classes

  /** The jars added so far, as local files. */
  def files: Seq[File] = classes.getURLs.toSeq.map(url => new File(url.toURI))

  /** Begins to watch for added jars. Jars from before the start are on the class path already. */
  def watch(context: SparkContext): Unit = synchronized {
    known = context.listJars().toSet
    spark = Some(context)
  }

  /** Adds the jars that the session's code has added since the last call. */
  def refresh(): Unit = synchronized {
    for (context <- live; jar <- unknown(context)) {
      known += jar
      try take(context, FileUris.of(jar))
      catch { case NonFatal(error) => Log.line(s"the jar $jar is not on the driver's class path: $error") }
    }
  }

  /** Gives a jar to driver and executors, or throws an exception that tells why not. Returns
    * whether the jar is new: they may have had it before.
    *
    * @param lasting whether the file is a local one that stays as it is: then the driver needs no
    *   copy
    */
  def add(jar: URI, lasting: Boolean): Boolean = synchronized {
    refresh()
    val missing = live.filterNot(_ => known(jar.toString)).filter(isMissing(_, jar))
    missing.foreach(addNew(_, jar, lasting))
    missing.nonEmpty
  }

  private def isMissing(context: SparkContext, jar: URI): Boolean = namesake(jar) match {
    case Some(other) if FileUris.haveSameContent(context, other, jar) => false
    case Some(_) => throw NameTaken(FileUris.name(jar))
    case None => true
  }

  // If Spark does not take a jar, it says so in its log only.
  private def addNew(context: SparkContext, jar: URI, lasting: Boolean): Unit = {
    context.addJar(jar.toString)
    val added = unknown(context)
    known ++= added
    if (added.isEmpty) throw new IllegalArgumentException(s"Spark does not take $jar: the session's log tells why")
    if (lasting) offer(FileUris.name(jar))(file => Files.createSymbolicLink(file, Paths.get(jar)): Unit)
    else added.map(FileUris.of).foreach(take(context, _))
  }

  // Spark offers the driver's local files to the executors by name only.
  private def namesake(jar: URI): Option[URI] =
    if (jar.getScheme != "file") None
    else known.toSeq.map(FileUris.of).find(other => other.getScheme == "spark" && FileUris.name(other) == FileUris.name(jar))

  private def unknown(context: SparkContext): Seq[String] = context.listJars().filterNot(known)

  private def live: Option[SparkContext] = spark.filterNot(_.isStopped)

  private def take(context: SparkContext, jar: URI): Unit = offer(FileUris.name(jar)) { copy =>
    val in = FileUris.open(context, jar)
    try Files.copy(in, copy): Unit finally in.close()
  }

  /** Puts a file on the class path, under a name that every class loader and compiler accepts. */
  private def offer(name: String)(make: Path => Unit): Unit = {
    count += 1
    val plain = name.takeRight(MostOfName).replaceAll("[^A-Za-z0-9._-]", "_").stripSuffix(".jar")
    val file = new File(directory, s"added-jars/$count-$plain.jar")
    Files.createDirectories(file.getParentFile.toPath)
    make(file.toPath)
    if (isArchive(file)) classes.add(file.toURI.toURL) else Log.line(s"$name is no jar: it is not on the driver's class path")
  }

  private def isArchive(file: File): Boolean =
    try { new ZipFile(file).close(); true } catch { case _: IOException => false }
}

private object AddedJars {
  private val MostOfName = 100
}

/** The session has another file by that name, and Spark cannot replace a file. */
final case class NameTaken(name: String) extends Exception(
  s"the session has another file named '$name' already, and Spark cannot replace a file: give this one another name")
