using System.Security.Cryptography;
using System.Text;
using Budwood.Checkpoints;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Checkpoints;

public sealed class ChatTemplatesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("{\"a\": 1,\n \"chat_template\": \"x{}\",\n \"b\": [1, {\"chat_template\": 2}]}", "{\"a\": 1,\n \"b\": [1, {\"chat_template\": 2}]}")]
    [InlineData("{\"chat_template\": [{\"name\": \"default\"}],\n \"b\": 2}", "{\"b\": 2}")]
    [InlineData("{\n  \"b\": 2,\n  \"chat_template\": null\n}\n", "{\n  \"b\": 2\n}\n")]
    [InlineData("{\"chat_template\": \"x\"}", "{}")]
    [InlineData("{\"b\":  2.50 , \"c\": \"\\u00e9\"}", "{\"b\":  2.50 , \"c\": \"\\u00e9\"}")]
    [InlineData("\uFEFF{\"b\": 1, \"chat_template\": \"x\"}", "\uFEFF{\"b\": 1}")]
    public void Only_the_template_leaves_the_file(string before, string after) =>
        Assert.Equal(after, Encoding.UTF8.GetString(ChatTemplates.Without(Encoding.UTF8.GetBytes(before))));

    [Fact]
    public void The_jinja_file_counts_before_tokenizer_config_and_that_before_the_processors_file()
    {
        _folder.Write("tokenizer_config.json",
            "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"t\"}, {\"name\": \"default\", \"template\": \"second\"}]}");
        _folder.Write("chat_template.json", "{\"chat_template\": \"third\"}");
        Assert.Equal([("tokenizer_config.json", "second"), ("chat_template.json", "third")], ChatTemplates.Of(_folder.Path));
        _folder.Write("chat_template.jinja", "first");
        Assert.Equal(["first", "second", "third"], ChatTemplates.Of(_folder.Path).Select(t => t.Text));
    }

    // That chatml and mistral render as the peer's do was checked with Jinja 3.1 on the conversations of goldens/merge-extras: a change must be checked again.
    [Theory]
    [InlineData("alpaca", "4284319745a39830239d0168119f92a3af2db4465972a61b0fec80075988fd31")]
    [InlineData("chatml", "a770268bd530d4425d70424134f14fa804cdb6fedd5fdfba806fc5bb941c8c6a")]
    [InlineData("exaone", "b729280b24090faccd84679409134e27923b07b97a6f99050b1f6d072bbe9030")]
    [InlineData("llama3", "00604cac5765ad7c68d9e9cff0813242c86138363c09cf58e7cf48ada657d7ee")]
    [InlineData("mistral", "bfa129f41eedc64a0d86b2802af89872a601bac4972606977ad63435eec2ffc6")]
    public void The_built_in_texts_are_those_that_were_rendered(string name, string sha256)
    {
        Assert.Contains(name, ChatTemplates.Names);
        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ChatTemplates.BuiltIn(name)!))));
    }

    [Fact]
    public void There_are_no_other_built_in_texts() => Assert.Equal(["alpaca", "chatml", "exaone", "llama3", "mistral"], ChatTemplates.Names);
}
