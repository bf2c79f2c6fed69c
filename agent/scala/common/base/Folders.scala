package livius.agent

import java.nio.file.{Files, LinkOption, Path}

object Folders {

  /** Deletes a file, or a folder with all that is in it. Follows no links: of a link to a folder, the
    * folder stays.
    */
  def delete(each: Path): Unit = {
    if (Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)) {
      val children = Files.newDirectoryStream(each)
      try children.forEach(child => delete(child)) finally children.close()
    }
    Files.deleteIfExists(each): Unit
  }
}
