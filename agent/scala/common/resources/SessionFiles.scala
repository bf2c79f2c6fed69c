package livius.agent

import java.io.File
import java.net.URI
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.Files
import java.util.Locale

import org.apache.spark.{SparkContext, SparkFiles}

/** Puts files where the session's code finds them, on the driver and on executors.
  *
  * @param spark  waits for the SparkContext
  * @param python makes a local file importable
  */
final class SessionFiles(spark: () => SparkContext, jars: AddedJars, python: String => Unit, download: ResourceDownload) {

  import SessionFiles._

  private lazy val folder = new PrivateFolder("resources").closeAtExit()

  /** Adds a file, or throws an exception that tells why not. */
  def add(resource: Resource): Unit = {
    val context = spark()
    resource.uri match {
      case Some(uri) => place(context, resource.isLibrary, new Source(readable(context, FileUris.of(uri)), lasting = false))
      case None => placeUploaded(context, resource)
    }
  }

  private def placeUploaded(context: SparkContext, resource: Resource): Unit = {
    val name = checkedName(resource.name)
    val target = Files.createDirectories(folder.path.resolve(resource.id.toString)).resolve(name)
    val source = new Source(target.toUri, lasting = true)
    try {
      download.fetch(resource.id, target)
      place(context, resource.isLibrary, source)
    } finally if (!source.isUsed) Files.deleteIfExists(target): Unit
  }

  private def place(context: SparkContext, isLibrary: Boolean, source: Source): Unit = {
    val name = source.name.toLowerCase(Locale.ROOT)
    if (!isLibrary) addFile(context, source): Unit
    else {
      if (!OnlyPython.exists(name.endsWith(_))) source.isUsed = jars.add(source.uri, source.lasting)
      if (ForPython.exists(name.endsWith(_))) python(addFile(context, source).getPath)
    }
  }

  /** Gives a file to driver and executors, unless they have it. Returns its local path. */
  private def addFile(context: SparkContext, source: Source): File = {
    val name = checkedName(source.name)
    val target = new File(SparkFiles.get(name))
    if (!target.exists) {
      source.isUsed = true
      context.addFile(source.uri.toString)
    } else if (!FileUris.haveSameContent(context, source.uri, target.toURI)) throw NameTaken(name)
    if (!target.exists) throw new ResourceUnavailable(s"Spark has no file '$name' after adding ${source.uri}: give it a plain name")
    target
  }

  // Spark also remembers a file that it could not read, and then fails every later task.
  private def readable(context: SparkContext, file: URI): URI = {
    if (!NotOpened(file.getScheme)) FileUris.open(context, file).close()
    file
  }
}

object SessionFiles {

  /** A file to add. A lasting file, once used, is read from its place for as long as the driver
    * lives.
    */
  private final class Source(val uri: URI, val lasting: Boolean) {
    var isUsed = false

    def name: String = FileUris.name(uri)
  }

  /** The last part of a path, if that is a valid file name. */
  def checkedName(raw: String): String = {
    val last = raw.substring(raw.lastIndexWhere(Separators.contains(_: Char)) + 1)
    if (last.isEmpty || last == "." || last == ".." || last.exists(_.isControl))
      throw new ResourceUnavailable(s"'${shown(raw)}' is no name for a file")
    if (last.getBytes(UTF_8).length > LongestName)
      throw new ResourceUnavailable(s"the file's name is longer than $LongestName bytes: '${shown(last)}'")
    last
  }

  private def shown(name: String): String = name.filterNot(_.isControl).take(100)

  private val Separators = "/\\"
  private val LongestName = 255

  private val ForPython = Seq(".py", ".zip", ".egg")
  private val OnlyPython = Seq(".py", ".egg")

  /** Spark resolves Maven coordinates by itself, and assumes that `local` files are on every
    * machine.
    */
  private val NotOpened = Set("ivy", "local")
}
