package livius.agent

import java.io.{BufferedInputStream, File, InputStream}
import java.net.{URI, URISyntaxException}
import java.nio.channels.Channels

import scala.annotation.tailrec

import org.apache.hadoop.fs.Path
import org.apache.spark.SparkContext
import org.apache.spark.livius.DriverFiles

/** Files as Spark names them. */
object FileUris {

  /** A URI without a scheme is a file of this machine, as for Spark. */
  def of(text: String): URI = {
    val read = try new URI(text) catch { case _: URISyntaxException => new Path(text).toUri }
    if (read.getScheme == null) new File(read.getPath).getAbsoluteFile.toURI else read
  }

  /** The name that Spark gives the file: the path's last part. */
  def name(uri: URI): String = Option(uri.getPath).fold("")(path => path.substring(path.lastIndexOf('/') + 1))

  /** Opens the file, local or remote. */
  def open(spark: SparkContext, uri: URI): InputStream =
    if (uri.getScheme == "spark") Channels.newInputStream(DriverFiles.open(spark, uri))
    else {
      val path = new Path(uri)
      path.getFileSystem(spark.hadoopConfiguration).open(path)
    }

  def haveSameContent(spark: SparkContext, one: URI, other: URI): Boolean =
    reading(spark, one)(first => reading(spark, other)(second => areSame(first, second)))

  private def reading[A](spark: SparkContext, uri: URI)(use: InputStream => A): A = {
    val in = new BufferedInputStream(open(spark, uri), BufferBytes)
    try use(in) finally in.close()
  }

  @tailrec
  private def areSame(one: InputStream, other: InputStream): Boolean = {
    val byte = one.read()
    byte == other.read() && (byte < 0 || areSame(one, other))
  }

  private val BufferBytes = 64 * 1024
}
