using Budwood.Files;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Files;

public class ModelPathTests
{
    private const string Commit = "d4927dda05af693bff7dfd4c7b40eafb0ef92a78";

    private static TempFolder Place()
    {
        var folder = new TempFolder();
        foreach (string sub in (string[])["work/left", "config/right", "work/models/a", "hub"]) Directory.CreateDirectory(folder[sub]);
        folder.Write("hub/models--org--tiny/refs/main", Commit);
        folder.Write($"hub/models--org--tiny/snapshots/{Commit}/model.safetensors", Crafted.Vectors("a"));
        return folder;
    }

    private static string Resolve(TempFolder place, string path, string? revision = null) =>
        ModelPath.Resolve(path, revision, place["work"], place["config"], new HubCache(place["hub"]));

    private static Fault Refuses(TempFolder place, string code, string path, params string[] words) =>
        Crafted.Refuses(code, () => Resolve(place, path), words);

    [Fact]
    public void The_working_folder_comes_first_and_then_that_of_the_configuration()
    {
        using TempFolder place = Place();
        Assert.Equal(place["work/left"], Resolve(place, "left"));
        Assert.Equal(place["config/right"], Resolve(place, "right"));
        Assert.Equal(place["config/./right"], Resolve(place, "./right"));
        Assert.Equal(place["work/left"], Resolve(place, place["work/left"]));
        string file = place.Write("config/m.safetensors", "x");
        Assert.Equal(file, Resolve(place, "m.safetensors"));
    }

    [Fact]
    public void A_path_that_means_two_things_names_both()
    {
        using TempFolder place = Place();
        Directory.CreateDirectory(place["config/left"]);
        Crafted.Refuses("BW1310", ExitCode.Usage, () => Resolve(place, "left"), place["work/left"], place["config/left"]);
        Assert.Equal(place["work/left"], ModelPath.Resolve("left", null, place["work"], place["work"]));
        if (OperatingSystem.IsWindows()) return;
        Directory.Delete(place["config/left"]);
        Directory.CreateSymbolicLink(place["config/left"], place["work/left"]);
        Assert.Equal(place["work/left"], Resolve(place, "left"));
    }

    [Fact]
    public void A_name_of_the_hub_is_found_in_the_cache_unless_a_folder_bears_it()
    {
        using TempFolder place = Place();
        string snapshot = place[$"hub/models--org--tiny/snapshots/{Commit}"];
        Assert.Equal(snapshot, Resolve(place, "org/tiny"));
        Assert.Equal(snapshot, Resolve(place, "org/tiny", Commit));
        Directory.CreateDirectory(place["work/org/tiny"]);
        Assert.Equal(place["work/org/tiny"], Resolve(place, "org/tiny"));
        Crafted.Refuses("BW1311", ExitCode.Usage, () => Resolve(place, "org/tiny", Commit), "revision", place["work/org/tiny"]);
    }

    [Fact]
    public void A_misspelt_folder_gets_its_neighbour_and_not_a_download()
    {
        using TempFolder place = Place();
        Refuses(place, "BW2001", "lefft", "'left'");
        Refuses(place, "BW2001", "rigth", "'right'");
        Refuses(place, "BW2001", "models/b", "models/b", "'a'");
        Refuses(place, "BW2001", "./lef", "'left'");
        Refuses(place, "BW2001", "../work/x/y");
        Refuses(place, "BW2001", place["work/lef"], "'left'");
        Refuses(place, "BW2001", "");
        Refuses(place, "BW2001", "left\0");
    }

    [Fact]
    public void What_is_nowhere_near_gets_the_line_that_downloads_it()
    {
        using TempFolder place = Place();
        Refuses(place, "BW2070", "mistralai/Mistral-7B-v0.1", "hf download mistralai/Mistral-7B-v0.1");
        Refuses(place, "BW2070", "gpt2", "hf download gpt2");
    }
}
